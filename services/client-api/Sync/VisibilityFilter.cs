using System.Text.Json;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Which events of a room a user may see (Client-Server API, "Room History Visibility"): decided by the state at each event, and by until
/// when the user was a member. Reads each distinct state once.
/// </summary>
sealed class VisibilityFilter(StateTree states, EventCache events)
{
    readonly record struct Rules(string Visibility, string Membership);

    /// <param name="memberUntil">The position at which the user's last stay ended; <see cref="long.MaxValue"/> for a member, 0 for who never was.</param>
    public async Task<List<EncodedEvent>> Filter(IEnumerable<EncodedEvent> candidates, string userId, long memberUntil, CancellationToken ct)
    {
        var known = new Dictionary<StateNodeId, Rules>();
        var visible = new List<EncodedEvent>();
        foreach (var e in candidates)
        {
            if (e.StateBefore is not { } root)
                continue;
            if (!known.TryGetValue(root, out var rules))
                known.Add(root, rules = await Read(root, userId, ct));
            if (Allows(e, userId, rules, e.Position <= memberUntil))
                visible.Add(e);
        }
        return visible;
    }

    /// <summary>The user's membership in a state.</summary>
    public async ValueTask<string> FindMembership(StateNodeId root, string userId, CancellationToken ct) => (await Read(root, userId, ct)).Membership;

    /// <summary>The history visibility that a state sets.</summary>
    public async ValueTask<string> FindVisibility(StateNodeId root, CancellationToken ct) => (await Read(root, "", ct)).Visibility;

    static bool Allows(EncodedEvent e, string userId, Rules before, bool joinedLater)
    {
        if (Allows(before, joinedLater))
            return true;
        // Events that change one of the two count as both what was before and what is after them.
        return e.IsMembershipOf(userId)
            ? Allows(before with { Membership = e.Membership ?? "leave" }, joinedLater) || e.Membership is "leave" or "ban" or "invite"
            : e is { Type: EventTypes.HistoryVisibility, StateKey: "" } && Allows(before with { Visibility = VisibilityIn(e) }, joinedLater);
    }

    static bool Allows(Rules rules, bool joinedLater) => rules switch
    {
        { Visibility: "world_readable" } or { Membership: "join" } => true,
        { Visibility: "invited" } => rules.Membership == "invite",
        { Visibility: "joined" } => false,
        _ => joinedLater,
    };

    async ValueTask<Rules> Read(StateNodeId root, string userId, CancellationToken ct)
    {
        var found = await states.Find(root, [new(EventTypes.HistoryVisibility, ""), new(EventTypes.Member, userId)], ct);
        var batch = new EventBatch();
        await events.Load(batch, [.. found.OfType<long>()], ct);
        var visibility = found[0] is { } v ? batch.Find(v) : null;
        var member = found[1] is { } m ? batch.Find(m) : null;
        return new Rules(visibility is null ? "shared" : VisibilityIn(visibility), member?.Membership ?? "leave");
    }

    static string VisibilityIn(EncodedEvent e)
    {
        var content = JsonElement.Parse(e.Content.Span);
        return content.TryGetProperty("history_visibility", out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is "world_readable" or "invited" or "joined"
            ? value.GetString()!
            : "shared";
    }
}
