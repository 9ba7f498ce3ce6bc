using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.Rooms.Membership;

/// <summary>Users of this server who let nobody invite them (Client-Server API, Invite permission).</summary>
public sealed class InviteBlocks(AccountDataStore accountData)
{
    /// <summary>The types of account data that say so: the stable one, and that of MSC4380.</summary>
    public static readonly IReadOnlyList<string> Types = ["m.invite_permission_config", "org.matrix.msc4380.invite_permission_config"];

    /// <summary>Refuses an invite to somebody of this server who blocks them. One query for all of the invited.</summary>
    /// <exception cref="RoomException">403 M_INVITE_BLOCKED.</exception>
    public async Task Check(IReadOnlyCollection<UserId> invited, CancellationToken ct)
    {
        if (invited.Count == 0)
            return;
        var found = await accountData.ListGlobal(invited, Types, ct);
        if (found.FirstOrDefault(item => Blocks(item.Content)) is { } blocking)
            throw new RoomException(403, "M_INVITE_BLOCKED", $"{blocking.UserId} does not accept invites.");
    }

    /// <summary>Whether the user blocks invites now.</summary>
    public async Task<bool> IsBlocking(UserId user, CancellationToken ct) =>
        (await accountData.ListGlobal([user], Types, ct)).Any(item => Blocks(item.Content));

    static bool Blocks(string content)
    {
        using var json = JsonDocument.Parse(content);
        return json.RootElement.TryGetProperty("default_action", out var action) && action.ValueKind == JsonValueKind.String && action.ValueEquals("block");
    }
}
