using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Spaces;

/// <summary>A room of a space as another server is told of it (Server-Server API, GET /hierarchy).</summary>
/// <param name="ChildrenState">Null for a child that is told of beside its space.</param>
public sealed record SpaceSummary(
    string RoomId, string? Name, string? Topic, string? AvatarUrl, string? CanonicalAlias, int NumJoinedMembers, bool WorldReadable, bool GuestCanJoin,
    string? JoinRule, string? RoomType, string? Encryption, string? RoomVersion, IReadOnlyList<string>? AllowedRoomIds,
    IReadOnlyList<SpaceChildEvent>? ChildrenState);

/// <summary>An m.space.child event, stripped.</summary>
public sealed record SpaceChildEvent(string Type, string StateKey, string Sender, long OriginServerTs, JsonElement Content);

/// <summary>What another server is told of a room of a space (Server-Server API, GET /hierarchy): its children that it may see, and the ids of those that it may not.</summary>
public sealed record ServedSpace(SpaceSummary Room, IReadOnlyList<SpaceSummary>? Children, IReadOnlyList<string>? InaccessibleChildren);

/// <summary>Tells other servers of a space and of those of its rooms that this server is in, as far as their users may know of them.</summary>
public sealed class SpaceServing(RoomDetailStore details, RoomServers servers, StateTree tree, StateEvents stateEvents, ServerSigningKey own)
{
    const int MostChildren = 50;
    const string Child = "m.space.child";

    /// <summary>Null: the room is not here, or nobody of the server may know of it.</summary>
    public async Task<ServedSpace?> Find(RoomId roomId, bool suggestedOnly, ServerName server, CancellationToken ct)
    {
        if (await details.Find(roomId, own.ServerName, ct) is not { } space || !IsHere(space))
            return null;
        var children = space.RoomType == "m.space" ? await ListChildren(space, suggestedOnly, ct) : [];
        var rooms = (await details.List([.. children.Select(c => c.StateKey).Take(MostChildren)], own.ServerName, ct)).Where(IsHere).ToList();
        List<RoomDetail> all = [space, .. rooms];
        var allowed = await ListAllowed(all, ct);
        var known = (await details.List([.. allowed.Values.SelectMany(ids => ids).Distinct()], own.ServerName, ct)).ToDictionary(r => r.RoomId, r => r.RoomNid);
        var present = (await servers.ListPresent(server, [.. all.Select(r => r.RoomNid), .. known.Values], ct)).ToHashSet();
        bool MayKnow(RoomDetail room) => room.JoinRule is "public" or "knock" or "knock_restricted" || room.HistoryVisibility == "world_readable"
            || present.Contains(room.RoomNid) || allowed[room.RoomNid].Any(id => known.TryGetValue(id, out var nid) && present.Contains(nid));
        // who is invited may know too; that is looked for only where nothing else opens the room
        if (all.Where(room => !MayKnow(room)).Select(room => room.RoomNid).ToList() is { Count: > 0 } closed)
            present.UnionWith(await servers.ListInvited(server, closed, ct));
        if (!MayKnow(space))
            return null;
        return new ServedSpace(Show(space, allowed, children), [.. rooms.Where(MayKnow).Select(room => Show(room, allowed, null))],
            [.. rooms.Where(room => !MayKnow(room)).Select(room => room.RoomId)]);
    }

    // of a room that this server was never in, or that all of it have left, others tell
    static bool IsHere(RoomDetail room) => room is { JoinedCount: > 0, IsCurrent: true };

    static SpaceSummary Show(RoomDetail room, Dictionary<long, IReadOnlyList<string>> allowed, IReadOnlyList<SpaceChildEvent>? children) => new(
        room.RoomId, room.Name, room.Topic, room.AvatarUrl, room.CanonicalAlias, room.JoinedCount, room.HistoryVisibility == "world_readable",
        room.GuestAccess == "can_join", room.JoinRule ?? "invite", room.RoomType, room.Encryption, room.Version,
        allowed[room.RoomNid] is { Count: > 0 } ids ? ids : null, children);

    async Task<Dictionary<long, IReadOnlyList<string>>> ListAllowed(List<RoomDetail> rooms, CancellationToken ct)
    {
        var restricted = rooms.Where(room => room.JoinRule is "restricted" or "knock_restricted").ToList();
        var nids = await tree.Find([.. restricted.Select(room => (StateNodeId.Read(room.StateRoot), new StateKeyPair(EventTypes.JoinRules, "")))], ct);
        var rules = await stateEvents.Get(nids.OfType<long>().ToHashSet(), ct);
        var allowed = rooms.DistinctBy(room => room.RoomNid).ToDictionary(room => room.RoomNid, _ => (IReadOnlyList<string>)[]);
        foreach (var (i, room) in restricted.Index())
        {
            if (nids[i] is { } nid)
                allowed[room.RoomNid] = [.. JoinRules.Read(rules[nid]).AllowedRooms.Select(id => id.ToString())];
        }
        return allowed;
    }

    async Task<IReadOnlyList<SpaceChildEvent>> ListChildren(RoomDetail space, bool suggestedOnly, CancellationToken ct)
    {
        var state = await tree.ReadAll(StateNodeId.Read(space.StateRoot), ct);
        var pdus = await stateEvents.Get(state.Where(entry => entry.Key.Type == Child).Select(entry => entry.EventNid).ToHashSet(), ct);
        return [.. pdus.Values.Select(pdu => new SpaceChildEvent(Child, pdu.StateKey!, pdu.Sender.ToString(), pdu.OriginServerTs, pdu.Content))
            .Where(child => SpaceChildren.HasVia(child.Content) && (!suggestedOnly || SpaceChildren.IsSuggested(child.Content)))
            .OrderBy(child => child.OriginServerTs)];
    }
}
