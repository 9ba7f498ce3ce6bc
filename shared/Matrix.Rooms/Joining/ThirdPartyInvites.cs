using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Membership;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Invites of mail addresses and the like that an identity server has found the user of: the invite of that user is sent by who invited the address, whose
/// server has to make it (Server-Server API, Third-party invites).
/// </summary>
public sealed class ThirdPartyInvites
{
    readonly FederationClient client;
    readonly ServerSigningKey own;
    readonly RoomDrafts drafts;
    readonly RoomWriter writer;
    readonly Invites invites;

    internal static ThirdPartyInvites Create(IServiceProvider p) => new(
        p.GetRequiredService<FederationClient>(), p.GetRequiredService<ServerSigningKey>(), p.GetRequiredService<RoomDrafts>(),
        p.GetRequiredService<RoomWriter>(), p.GetRequiredService<Invites>());

    internal ThirdPartyInvites(FederationClient client, ServerSigningKey own, RoomDrafts drafts, RoomWriter writer, Invites invites) =>
        (this.client, this.own, this.drafts, this.writer, this.invites) = (client, own, drafts, writer, invites);

    /// <summary>Makes the invite that a user of this server has promised. The auth rules check what the identity server signed.</summary>
    /// <exception cref="RoomException">The room is not here, or does not allow it.</exception>
    public async Task Exchange(RoomId roomId, UserId sender, UserId target, JsonObject thirdParty, CancellationToken ct)
    {
        if (sender.Server != own.ServerName)
            throw RoomException.Invalid("The invite is not by a user of this server.");
        var room = await drafts.GetResident(roomId, ct);
        var content = MemberContent.Create("invite");
        content["third_party_invite"] = thirdParty.DeepClone();
        if (target.Server != own.ServerName)
            await invites.Send(room, sender, target, content, ct);
        else
            await writer.Send(roomId, MemberContent.Draft(sender, target, content), null, ct);
    }

    /// <summary>An identity server says that an address is one of our users': the invites that waited for it are asked for.</summary>
    public async Task Bound(UserId user, RoomId roomId, UserId sender, JsonObject signed, CancellationToken ct)
    {
        if (user.Server != own.ServerName)
            throw RoomException.Invalid("The user is not of this server.");
        var thirdParty = new JsonObject { ["display_name"] = user.ToString(), ["signed"] = signed.DeepClone() };
        if (sender.Server == own.ServerName)
        {
            await Exchange(roomId, sender, user, thirdParty, ct);
            return;
        }
        var body = new JsonObject
        {
            ["type"] = EventTypes.Member,
            ["room_id"] = roomId.ToString(),
            ["sender"] = sender.ToString(),
            ["state_key"] = user.ToString(),
            ["content"] = new JsonObject { ["membership"] = "invite", ["third_party_invite"] = thirdParty },
        };
        await client.Put<JsonElement>(sender.Server, $"/_matrix/federation/v1/exchange_third_party_invite/{Uri.EscapeDataString(roomId.ToString())}",
            JsonSerializer.SerializeToUtf8Bytes(body), ct);
    }
}
