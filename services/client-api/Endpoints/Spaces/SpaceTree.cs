using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Spaces;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>A walk through a space: what it shows, and where it ends.</summary>
sealed record SpaceWalk(RoomId Root, bool SuggestedOnly, int MaxDepth, int Limit);

/// <param name="Children">The space's m.space.child events, in the order of the children.</param>
sealed record SpaceRoom(RoomPreview Preview, IReadOnlyList<SpaceChildEvent> Children);

sealed record SpacePage(IReadOnlyList<SpaceRoom> Rooms, string? Next);

/// <summary>
/// Walks the rooms of a space depth first, each room once, in the order that the specification gives the children of a space. The rooms of a space are
/// read together. Of rooms that this server is not in the servers are asked that the space names.
/// </summary>
sealed class SpaceTree(RoomDetailStore details, RoomAccess access, StateTree states, EventCache events, SyncStore store, RemoteSpaces remote,
    RoomServers servers, ServerSigningKey own)
{
    /// <summary>A room on the way.</summary>
    /// <param name="Known">What this server knows of it; null: it is not in it.</param>
    /// <param name="Told">What a server told of it beside its space.</param>
    sealed record Place(RoomId RoomId, RoomDetail? Known, IReadOnlyList<ServerName> Via, SpaceSummary? Told = null);

    public const int MostRooms = 50;
    public const int MostDepth = 20;

    /// <summary>The walk ends after so many rooms.</summary>
    public const int MostWalked = 2000;

    const string Child = "m.space.child";

    /// <param name="skip">So many rooms were shown on earlier pages.</param>
    public async Task<SpacePage> Read(SpaceWalk walk, int skip, UserId user, CancellationToken ct)
    {
        var guest = new RoomGuest(await store.ListMemberships(user.ToString(), ct));
        var root = await details.Find(walk.Root, own.ServerName, ct);
        var pending = new Stack<(Place Place, int Depth)>([(new Place(walk.Root, root is not null && IsHere(root) ? root : null, await WhoTells(walk.Root, root, servers, ct)), 0)]);
        var seen = new HashSet<string>(StringComparer.Ordinal) { walk.Root.ToString() };
        var shown = new List<SpaceRoom>();
        var walked = 0;
        while (pending.TryPop(out var next) && walked < MostWalked)
        {
            if (await Look(next.Place, walk, guest, ct) is not var (room, told))
            {
                if (next.Depth == 0)
                    throw Forbidden();
                continue;
            }
            if (shown.Count == walk.Limit)
                return new SpacePage(shown, SpaceToken.Format(walk, walked));
            if (++walked > skip)
                shown.Add(room);
            if (next.Depth < walk.MaxDepth && room.Children.Count > 0)
                await Push(pending, seen, room.Children, told, next.Depth + 1, ct);
        }
        return new SpacePage(shown, null);
    }

    /// <summary>The room, and what was told of its children with it; null if the user may not know of it, or nobody tells of it.</summary>
    async ValueTask<(SpaceRoom Room, IReadOnlyList<SpaceSummary> Told)?> Look(Place place, SpaceWalk walk, RoomGuest guest, CancellationToken ct)
    {
        if (place.Known is { } known)
        {
            var allowed = await access.ListAllowed(known, ct);
            if (!RoomAccess.MayKnow(known, guest, allowed))
                return null;
            var children = known.RoomType == "m.space" ? await ListChildren(known, walk.SuggestedOnly, ct) : [];
            return (new SpaceRoom(RoomPreview.Of(known, allowed), children), []);
        }
        var (summary, told) = (place.Told, (IReadOnlyList<SpaceSummary>)[]);
        if (summary is null or { RoomType: "m.space" })
        {
            if (await remote.Find(place.RoomId, place.Via, walk.SuggestedOnly, ct) is { } space)
                (summary, told) = (space.Room, space.Children ?? []);
        }
        if (summary is null || !RoomAccess.MayKnow(summary, guest))
            return null;
        return (new SpaceRoom(RoomPreview.Of(summary), Sorted(summary.ChildrenState ?? [], walk.SuggestedOnly)), told);
    }

    async Task Push(Stack<(Place, int)> pending, HashSet<string> seen, IReadOnlyList<SpaceChildEvent> children, IReadOnlyList<SpaceSummary> told, int depth,
        CancellationToken ct)
    {
        List<SpaceChildEvent> unseen = [.. children.Where(child => RoomId.TryParse(child.StateKey, out _) && seen.Add(child.StateKey))];
        if (unseen.Count == 0)
            return;
        var rooms = (await details.List([.. unseen.Select(child => child.StateKey)], own.ServerName, ct)).Where(IsHere).ToDictionary(room => room.RoomId);
        foreach (var child in Enumerable.Reverse(unseen))
        {
            pending.Push((new Place(RoomId.Parse(child.StateKey), rooms.GetValueOrDefault(child.StateKey), SpaceChildren.Via(child.Content),
                told.FirstOrDefault(summary => summary.RoomId == child.StateKey)), depth));
        }
    }

    /// <summary>Not a room that a user is only invited to from another server, or that all of this server have left.</summary>
    internal static bool IsHere(RoomDetail room) => StateNodeId.Read(room.StateRoot) != StateTree.Empty && room.IsCurrent;

    /// <summary>Who may tell of a room that this server is not in: those who were in it when it left, and who made it.</summary>
    internal static async ValueTask<IReadOnlyList<ServerName>> WhoTells(RoomId roomId, RoomDetail? room, RoomServers servers, CancellationToken ct)
    {
        if (room is not null && IsHere(room))
            return [];
        IReadOnlyList<ServerName> left = room is null ? [] : await servers.ListLargest(room.RoomNid, RemoteSpaces.MaxServers, ct);
        return roomId.Server is { } maker ? [maker, .. left] : left;
    }

    async Task<IReadOnlyList<SpaceChildEvent>> ListChildren(RoomDetail space, bool suggestedOnly, CancellationToken ct)
    {
        var state = await states.ReadAll(StateNodeId.Read(space.StateRoot), ct);
        long[] nids = [.. state.Where(entry => entry.Key.Type == Child).Select(entry => entry.EventNid)];
        var batch = new EventBatch();
        await events.Load(batch, nids, ct);
        return Sorted(batch.List(nids).Select(e => new SpaceChildEvent(Child, e.StateKey!, e.Sender, e.OriginServerTs, JsonElement.Parse(e.Content.Span))), suggestedOnly);
    }

    static IReadOnlyList<SpaceChildEvent> Sorted(IEnumerable<SpaceChildEvent> children, bool suggestedOnly) =>
    [
        .. children.Where(child => SpaceChildren.HasVia(child.Content) && (!suggestedOnly || SpaceChildren.IsSuggested(child.Content)))
            .OrderBy(child => SpaceChildren.Order(child.Content) ?? "\u007F", StringComparer.Ordinal)
            .ThenBy(child => child.OriginServerTs)
            .ThenBy(child => child.StateKey, StringComparer.Ordinal),
    ];

    static MatrixException Forbidden() => MatrixException.Forbidden("You are not allowed to view this room.");
}
