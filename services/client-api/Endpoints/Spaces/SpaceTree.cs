using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>A walk through a space: what it shows, and where it ends.</summary>
sealed record SpaceWalk(RoomId Root, bool SuggestedOnly, int MaxDepth, int Limit);

/// <param name="Children">The space's m.space.child events, in the order of the children.</param>
sealed record SpaceRoom(RoomPreview Preview, IReadOnlyList<EncodedEvent> Children);

sealed record SpacePage(IReadOnlyList<SpaceRoom> Rooms, string? Next);

/// <summary>
/// Walks the rooms of a space depth first, each room once, in the order that the specification gives the children of a space. The rooms of a space are
/// read together. Rooms that this server is not in are left out.
/// </summary>
sealed class SpaceTree(RoomDetailStore details, RoomAccess access, StateTree states, EventCache events, SyncStore store)
{
    public const int MostRooms = 50;
    public const int MostDepth = 20;

    /// <summary>The walk ends after so many rooms.</summary>
    public const int MostWalked = 2000;

    const string Child = "m.space.child";

    /// <param name="skip">So many rooms were shown on earlier pages.</param>
    public async Task<SpacePage> Read(SpaceWalk walk, int skip, UserId user, CancellationToken ct)
    {
        var guest = new RoomGuest(await store.ListMemberships(user.ToString(), ct));
        if (await details.List([walk.Root.ToString()], ct) is not [var root])
            throw Forbidden();
        var pending = new Stack<(RoomDetail Room, int Depth)>([(root, 0)]);
        var seen = new HashSet<string>(StringComparer.Ordinal) { root.RoomId };
        var shown = new List<SpaceRoom>();
        var walked = 0;
        while (pending.TryPop(out var next) && walked < MostWalked)
        {
            var allowed = await access.ListAllowed(next.Room, ct);
            if (!RoomAccess.MayKnow(next.Room, guest, allowed))
            {
                if (next.Depth == 0)
                    throw Forbidden();
                continue;
            }
            if (shown.Count == walk.Limit)
                return new SpacePage(shown, SpaceToken.Format(walk, walked));
            var children = next.Room.RoomType == "m.space" ? await ListChildren(next.Room, walk.SuggestedOnly, ct) : [];
            if (++walked > skip)
                shown.Add(new SpaceRoom(RoomPreview.Of(next.Room, allowed), children));
            if (next.Depth < walk.MaxDepth && children.Count > 0)
                await Push(pending, seen, children, next.Depth + 1, ct);
        }
        return new SpacePage(shown, null);
    }

    async Task Push(
        Stack<(RoomDetail, int)> pending, HashSet<string> seen, IReadOnlyList<EncodedEvent> children, int depth, CancellationToken ct)
    {
        List<string> unseen = [.. children.Select(child => child.StateKey!).Where(seen.Add)];
        if (unseen.Count == 0)
            return;
        var rooms = (await details.List(unseen, ct)).ToDictionary(room => room.RoomId);
        foreach (var roomId in Enumerable.Reverse(unseen))
        {
            if (rooms.TryGetValue(roomId, out var room))
                pending.Push((room, depth));
        }
    }

    async Task<IReadOnlyList<EncodedEvent>> ListChildren(RoomDetail space, bool suggestedOnly, CancellationToken ct)
    {
        var state = await states.ReadAll(StateNodeId.Read(space.StateRoot), ct);
        long[] nids = [.. state.Where(entry => entry.Key.Type == Child).Select(entry => entry.EventNid)];
        var batch = new EventBatch();
        await events.Load(batch, nids, ct);
        return [.. batch.List(nids)
            .Select(e => (Event: e, Content: JsonElement.Parse(e.Content.Span)))
            .Where(child => HasVia(child.Content) && (!suggestedOnly || IsSuggested(child.Content)))
            .OrderBy(child => Order(child.Content) ?? "\u007F", StringComparer.Ordinal)
            .ThenBy(child => child.Event.OriginServerTs)
            .ThenBy(child => child.Event.StateKey, StringComparer.Ordinal)
            .Select(child => child.Event)];
    }

    static bool HasVia(JsonElement content) =>
        content.TryGetProperty("via", out var via) && via.ValueKind == JsonValueKind.Array && via.GetArrayLength() > 0;

    static bool IsSuggested(JsonElement content) => content.TryGetProperty("suggested", out var suggested) && suggested.ValueKind == JsonValueKind.True;

    // At most 50 characters of printable ASCII (m.space.child); anything else counts as none.
    static string? Order(JsonElement content) =>
        content.TryGetProperty("order", out var order) && order.ValueKind == JsonValueKind.String && order.GetString() is { Length: <= 50 } text
            && text.All(c => c is >= ' ' and <= '~') ? text : null;

    static MatrixException Forbidden() => MatrixException.Forbidden("You are not allowed to view this room.");
}
