using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Membership;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Rooms.Joining;

/// <summary>An event for the other server to complete and sign.</summary>
public sealed record MembershipTemplate(string RoomVersion, JsonObject Event);

/// <param name="Pdu">The event as it is in the room now, perhaps with this server's signature.</param>
public sealed record TakenMembership(Room Room, Pdu Pdu);

/// <summary>
/// The answering side of the handshakes by which users of other servers join, knock and leave: says where the event would stand, and takes it into the room
/// (Server-Server API, Joining, Knocking, Leaving Rooms).
/// </summary>
public sealed class MembershipHandshakes
{
    readonly RoomDrafts drafts;
    readonly RoomReceiver receiver;
    readonly EventVerifier verifier;
    readonly ServerSigningKey own;
    readonly RoomFinder rooms;
    readonly MembershipStore memberships;
    readonly PartialRooms partial;

    internal static MembershipHandshakes Create(IServiceProvider p) => new(
        p.GetRequiredService<RoomDrafts>(), p.GetRequiredService<RoomReceiver>(), p.GetRequiredService<EventVerifier>(),
        p.GetRequiredService<ServerSigningKey>(), p.GetRequiredService<RoomFinder>(), p.GetRequiredService<MembershipStore>(), p.GetRequiredService<PartialRooms>());

    internal MembershipHandshakes(
        RoomDrafts drafts, RoomReceiver receiver, EventVerifier verifier, ServerSigningKey own, RoomFinder rooms, MembershipStore memberships,
        PartialRooms partial) =>
        (this.drafts, this.receiver, this.verifier, this.own, this.rooms, this.memberships, this.partial) =
        (drafts, receiver, verifier, own, rooms, memberships, partial);

    /// <summary>Makes a template.</summary>
    /// <param name="versions">The room versions that the other server knows.</param>
    /// <exception cref="RoomException">The room is not here, or does not allow it.</exception>
    public async Task<MembershipTemplate> Make(
        RoomId roomId, UserId user, string membership, IReadOnlyCollection<string>? versions, ServerName origin, CancellationToken ct)
    {
        if (user.Server != origin)
            throw RoomException.Forbidden("The user is not of your server.");
        var room = await drafts.GetResident(roomId, ct);
        if (versions is not null && !versions.Contains(room.Rules.Id))
            throw new IncompatibleRoomVersionException(room.Rules.Id);
        var chain = await drafts.Begin(room, ct);
        await RoomDrafts.DemandAllowed(chain, origin, ct);
        var content = MemberContent.Create(membership);
        if (membership == "join" && await Authoriser(chain, user, ct) is { } authoriser)
            content["join_authorised_via_users_server"] = authoriser.ToString();
        var pdu = await chain.Build(MemberContent.Draft(user, user, content), ct);
        var template = JsonNode.Parse(pdu.Json.Span)!.AsObject();
        foreach (var ours in (string[])["hashes", "signatures", "event_id"])
            template.Remove(ours);
        template["origin"] = own.ServerName.ToString();
        return new MembershipTemplate(room.Rules.Id, template);
    }

    /// <summary>Takes the finished event into the room, and passes it on to the other servers there.</summary>
    /// <exception cref="RoomException">It is not what it should be, or the room does not allow it.</exception>
    public async Task<TakenMembership> Take(
        RoomId roomId, string eventId, ReadOnlyMemory<byte> json, string membership, ServerName origin, CancellationToken ct)
    {
        var room = await drafts.GetResident(roomId, ct);
        var pdu = Parse(json, room.Rules);
        if (pdu.EventId.ToString() != eventId || pdu.RoomId != roomId || pdu.Type != EventTypes.Member || pdu.Membership != membership
            || pdu.Sender.Server != origin || pdu.StateKey != pdu.Sender.ToString())
            throw RoomException.Invalid($"This is no {membership} of one of your users in this room.");
        var chain = await drafts.Begin(room, ct);
        await RoomDrafts.DemandAllowed(chain, origin, ct);
        if (membership == "join" && pdu.JoinAuthorisedBy is { } authoriser && authoriser.Server == own.ServerName)
        {
            await Authoriser(chain, pdu.Sender, ct);
            pdu = EventSignatures.AddSignature(pdu, own.ServerName, own.Key);
        }
        if ((await verifier.Verify([pdu.Json], room.Rules, ct))[0] is not { Pdu: { } verified })
            throw RoomException.Invalid("The event is not signed as it should be.");
        if (!pdu.HasValidContentHash)
            throw RoomException.Invalid("The event's hash does not fit its content.");
        var received = await receiver.Receive(room, verified, null, ct, relay: true);
        return received.Reception switch
        {
            Reception.Accepted => new TakenMembership(room, verified),
            Reception.MissingAuthEvents or Reception.MissingPrevEvents => throw RoomException.Invalid("The event does not build on what this server has told."),
            _ => throw RoomException.Forbidden(received.Reason ?? "The room does not allow it."),
        };
    }

    /// <summary>What who knocks is shown of the room.</summary>
    public async Task<IReadOnlyList<Pdu>> Stripped(Room room, CancellationToken ct) => await RoomDrafts.Stripped(await drafts.Begin(room, ct), null, ct);

    Task<UserId?> Authoriser(EventChain chain, UserId user, CancellationToken ct) =>
        new RestrictedJoin(rooms, memberships, partial, user, chain, own.ServerName).FindAuthoriser(ct).AsTask();

    internal static Pdu Parse(ReadOnlyMemory<byte> json, RoomVersionRules rules)
    {
        try
        {
            return Pdu.Parse(json, rules);
        }
        catch (ProtocolException e)
        {
            throw RoomException.Invalid($"This is no event of room version {rules.Id}: {e.Message}");
        }
    }
}

/// <summary>The other server does not know the room's version.</summary>
public sealed class IncompatibleRoomVersionException(string version) : Exception($"The room has version {version}."), IMatrixError
{
    public string RoomVersion => version;

    public int Status => 400;

    public string Errcode => "M_INCOMPATIBLE_ROOM_VERSION";
}
