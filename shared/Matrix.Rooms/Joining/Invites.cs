using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Membership;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Rooms.Joining;

/// <summary>Invites from server to server, both ways: the invited user's server signs the event too (Server-Server API, Inviting to a room).</summary>
public sealed class Invites
{
    readonly FederationClient client;
    readonly EventVerifier verifier;
    readonly ServerSigningKey own;
    readonly RoomDrafts drafts;
    readonly RoomReceiver receiver;
    readonly OutOfBandMemberships outOfBand;
    readonly MembershipStore memberships;
    readonly InviteBlocks blocks;

    internal static Invites Create(IServiceProvider p) => new(
        p.GetRequiredService<FederationClient>(), p.GetRequiredService<EventVerifier>(), p.GetRequiredService<ServerSigningKey>(),
        p.GetRequiredService<RoomDrafts>(), p.GetRequiredService<RoomReceiver>(), p.GetRequiredService<OutOfBandMemberships>(),
        p.GetRequiredService<MembershipStore>(), p.GetRequiredService<InviteBlocks>());

    internal Invites(FederationClient client, EventVerifier verifier, ServerSigningKey own, RoomDrafts drafts, RoomReceiver receiver,
        OutOfBandMemberships outOfBand, MembershipStore memberships, InviteBlocks blocks) =>
        (this.client, this.verifier, this.own, this.drafts, this.receiver, this.outOfBand, this.memberships, this.blocks) =
        (client, verifier, own, drafts, receiver, outOfBand, memberships, blocks);

    /// <summary>Invites a user of another server to a room that this one is in.</summary>
    /// <exception cref="RoomException">The room or the other server does not allow it.</exception>
    public async Task<SentEvent> Send(Room room, UserId sender, UserId target, JsonObject content, CancellationToken ct)
    {
        var chain = await drafts.Begin(room, ct);
        if (await chain.Membership(target, ct) == "join")
            throw RoomException.Forbidden($"{target} is in this room already.");
        await DemandAllowedTarget(chain, target, ct);
        var invite = await chain.BuildToShow(MemberContent.Draft(sender, target, content), ct);
        var signed = await Exchange(room, target, invite, await RoomDrafts.Stripped(chain, sender, ct), ct);
        var received = await receiver.Receive(room, signed, null, ct);
        return received.Reception == Reception.Accepted ? new SentEvent(signed.EventId, received.Position)
            : throw RoomException.Forbidden(received.Reason ?? "The room does not allow it any more.");
    }

    static async Task DemandAllowedTarget(Writing.EventChain chain, UserId target, CancellationToken ct)
    {
        if (!ServerAcl.Read(await chain.Find("m.room.server_acl", "", ct)).Allows(target.Server))
            throw RoomException.Forbidden($"The room does not admit {target.Server}.");
    }

    async Task<Pdu> Exchange(Room room, UserId target, Pdu invite, List<Pdu> shown, CancellationToken ct)
    {
        var path = $"{Uri.EscapeDataString(room.RoomId.ToString())}/{Uri.EscapeDataString(invite.EventId.ToString())}";
        JsonElement answer;
        try
        {
            answer = await client.Put<JsonElement>(target.Server, $"/_matrix/federation/v2/invite/{path}", Body(room, invite, shown), ct);
        }
        catch (FederationException e) when (e is { Status: 400 or 404 } && room.Rules.HasAssignedEventIds && e.Errcode is null or "M_UNRECOGNIZED")
        {
            answer = await client.Put<JsonElement>(target.Server, $"/_matrix/federation/v1/invite/{path}", OldBody(invite, shown), ct);
            answer = answer.ValueKind == JsonValueKind.Array && answer.GetArrayLength() == 2 ? answer[1] : default;
        }
        catch (FederationException e) when (e is { Status: >= 400 and < 500, Errcode: { } errcode } && errcode is not ("M_MISSING_PARAM" or "M_INVALID_PARAM"))
        {
            throw new RoomException(e.Status.Value, errcode, e.Message);
        }
        return answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("event", out var signed) && WithSignatureOf(target.Server, invite, signed) is { } both
            ? both : throw new RoomException(502, "M_UNKNOWN", $"{target.Server} did not sign the invite.");
    }

    /// <summary>Our event with their signature: nothing else of what they answer is taken.</summary>
    static Pdu? WithSignatureOf(ServerName server, Pdu invite, JsonElement answered)
    {
        if (answered.ValueKind != JsonValueKind.Object || !answered.TryGetProperty("signatures", out var signatures) || signatures.ValueKind != JsonValueKind.Object
            || !signatures.TryGetProperty(server.ToString(), out var theirs) || theirs.ValueKind != JsonValueKind.Object)
            return null;
        var both = JsonNode.Parse(invite.Json.Span)!.AsObject();
        // beside what stands there: the server may be the room's policy server, and have signed as such
        var signatureOf = both["signatures"]![server.ToString()]?.AsObject() ?? [];
        foreach (var signature in theirs.EnumerateObject())
            signatureOf[signature.Name] ??= JsonNode.Parse(signature.Value.GetRawText());
        both["signatures"]![server.ToString()] = signatureOf.DeepClone();
        return Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(both), invite.Rules);
    }

    /// <summary>Signs an invite for one of our users, and shows it to the user.</summary>
    /// <param name="shown">The event's invite_room_state.</param>
    /// <returns>The event with this server's signature.</returns>
    public async Task<Pdu> Take(
        RoomId roomId, string eventId, string version, ReadOnlyMemory<byte> json, IReadOnlyList<JsonElement> shown, ServerName origin, CancellationToken ct)
    {
        var rules = RoomVersions.Find(version) ?? throw new IncompatibleRoomVersionException(version);
        var invite = MembershipHandshakes.Parse(json, rules);
        if (invite.EventId.ToString() != eventId || invite.RoomId != roomId || invite is not { Type: EventTypes.Member, Membership: "invite" }
            || invite.Sender.Server != origin || !UserId.TryParse(invite.StateKey, out var target) || target.Server != own.ServerName)
            throw RoomException.Invalid("This is no invite by one of your users for one of ours.");
        if ((await verifier.Verify([json], rules, ct))[0] is not { Pdu: { } verified } || !invite.HasValidContentHash)
            throw RoomException.Invalid("The invite is not signed as it should be.");
        await CheckShown(roomId, rules, shown, ct);
        var standing = await memberships.FindStanding(roomId, target, ct);
        if (!standing.HasAccount)
            throw RoomException.NotFound($"There is no user {target}.");
        if (standing is { IsResident: true, Membership: "join" })
            throw RoomException.Forbidden($"{target} is in this room already.");
        await blocks.Check([target], ct);
        var signed = EventSignatures.AddSignature(verified, own.ServerName, own.Key);
        // of a room that we are in we hear like all others that are
        if (!standing.IsResident)
            await outOfBand.Set(await outOfBand.GetRoom(roomId, rules, origin, ct), signed, new ShownRoom(StrippedState.Write(shown), origin), ct);
        return signed;
    }

    /// <summary>
    /// What a server tells of a room that this one is not in: an invite is taken back, by a user of the server that it came from, or a knock is declined.
    /// Nothing else of such a room concerns anybody here. False: it is nothing of that.
    /// </summary>
    public async Task<bool> TakeBack(Room room, Pdu member, CancellationToken ct)
    {
        if (member is not { Type: EventTypes.Member, Membership: "leave" or "ban" } || !UserId.TryParse(member.StateKey, out var target) || target.Server != own.ServerName)
            return false;
        var standing = await memberships.Find(room.RoomNid, target, ct);
        var counts = standing?.Membership switch
        {
            "invite" => UserId.Parse(standing.Sender).Server == member.Sender.Server,
            "knock" => member.Sender != target,
            _ => false,
        };
        if (counts)
            await outOfBand.Set(room, member, null, ct);
        return counts;
    }

    /// <summary>
    /// Since version 12 what a stranger is shown has the event that the room is named after. Servers may demand whole events; Synapse (1.160) sends
    /// stripped ones, so those that are signed are checked, and the others are what they always were: the inviting server's word.
    /// </summary>
    async Task CheckShown(RoomId roomId, RoomVersionRules rules, IReadOnlyList<JsonElement> shown, CancellationToken ct)
    {
        const int most = 100;
        if (shown.Count > most)
            throw RoomException.Invalid($"invite_room_state has more than {most} events.");
        if (!rules.RoomIdIsCreateHash)
            return;
        var whole = shown.Where(e => e.ValueKind == JsonValueKind.Object && e.TryGetProperty("signatures", out _)).ToList();
        var verified = await verifier.Verify([.. whole.Select(e => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(e.GetRawText()))], rules, ct);
        if (verified.Any(v => v.Pdu is not { StateKey: not null } pdu || pdu.RoomId != roomId) || !shown.Any(IsCreate))
            throw RoomException.Invalid("invite_room_state is not made of state events of the room, with its m.room.create.");
    }

    static bool IsCreate(JsonElement e) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == EventTypes.Create;

    static byte[] Body(Room room, Pdu invite, List<Pdu> shown) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["room_version"] = room.Rules.Id,
        ["event"] = JsonNode.Parse(invite.Json.Span),
        ["invite_room_state"] = new JsonArray([.. shown.Select(pdu => JsonNode.Parse(pdu.Json.Span))]),
    });

    /// <summary>The first version of the endpoint takes the event itself.</summary>
    static byte[] OldBody(Pdu invite, List<Pdu> shown)
    {
        var body = JsonNode.Parse(invite.Json.Span)!.AsObject();
        body["unsigned"] = new JsonObject { ["invite_room_state"] = new JsonArray([.. shown.Select(pdu => JsonNode.Parse(pdu.Json.Span))]) };
        return JsonSerializer.SerializeToUtf8Bytes(body);
    }
}
