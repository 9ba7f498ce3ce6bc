using System.Collections.Immutable;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Puts together an answer as of a position of the log.</summary>
sealed class SlidingBuilder(SyncHub hub, RoomLists lists, RoomSelector selector, SlidingRooms rooms, SlidingUnread unread, SlidingExtensions extensions, LogFollower follower)
{
    /// <param name="connection">What the request's pos names; null: the connection begins.</param>
    public async Task<SlidingResult> Build(SlidingRequest request, ConnectionKey key, Connection? connection, SyncUser user, CancellationToken ct)
    {
        var state = connection?.State ?? ConnectionState.Empty;
        if (!request.Shape.HasRooms && state.Rooms.IsEmpty)
            return await BuildWithoutRooms(request, user, ct);
        var settled = connection?.Settled is { } known && ReferenceEquals(known.Shape, request.Shape) && request.Shape.OnlyTops ? known : null;
        var snapshot = await lists.Read(user, request.Since, settled, request.Shape.NeedsSummaries, ct);
        var result = new SlidingResult(Max(snapshot.Position, request.Since), state);
        var window = SlidingWindow.Of(follower, request.Since, snapshot.Position, request.UserId);
        var selection = await selector.Select(request, state, settled, snapshot, window, ct);
        await rooms.Fill(request, key, result, selection.Rooms, window, ct);
        result.State = Next(state, request, selection, result);
        await unread.Fill(request, result, state, snapshot, window, ct);
        result.Counts = selection.Counts;
        result.CountsChanged = settled is not null && selection.Counts.Any(count => settled.Counts.GetValueOrDefault(count.Key) != count.Value);
        result.Settled = new Settled(request.Shape, snapshot.List, snapshot.Version, result.Position, selection.Counts);
        await extensions.Fill(request, result, state, selection, snapshot.Rooms, window, ct);
        return result;
    }

    async Task<SlidingResult> BuildWithoutRooms(SlidingRequest request, SyncUser user, CancellationToken ct)
    {
        var known = await hub.GetRooms(user, ct);
        var result = new SlidingResult(Max(known.Position, request.Since), ConnectionState.Empty);
        var window = SlidingWindow.Of(follower, request.Since, known.Position, request.UserId);
        await extensions.Fill(request, result, ConnectionState.Empty, Selection.Nothing, known.Rooms, window, ct);
        return result;
    }

    /// <summary>What the client has with this answer. The same object when nothing changed but the position: then nothing is written.</summary>
    static ConnectionState Next(ConnectionState state, SlidingRequest request, Selection selection, SlidingResult result)
    {
        var next = state.Rooms.ToBuilder();
        foreach (var room in selection.Behind)
            next[room] = next[room] with { BehindAt = request.Since!.Value.Value };
        next.RemoveRange(selection.Gone);
        var told = result.Rooms.ToDictionary(room => room.Plan.Entry.RoomNid);
        foreach (var plan in selection.Rooms)
            Remember(next, plan, told.GetValueOrDefault(plan.Entry.RoomNid));
        var rooms = next.ToImmutable();
        return ReferenceEquals(rooms, state.Rooms) ? state : new ConnectionState(rooms);
    }

    static void Remember(ImmutableDictionary<long, SentRoom>.Builder next, RoomPlan plan, SlidingRoom? told)
    {
        var nid = plan.Entry.RoomNid;
        var has = plan.View != RoomView.Joined ? new SentRoom(null, 0, RequiredState.Nothing, false)
            : new SentRoom(null, TimelineLimit(plan, told), plan.State, plan.IsDirect);
        if (plan.Sent is null || !Same(plan.Sent, has))
            next[nid] = has;
    }

    static bool Same(SentRoom a, SentRoom b) =>
        a.BehindAt == b.BehindAt && a.TimelineLimit == b.TimelineLimit && a.IsDirect == b.IsDirect && (ReferenceEquals(a.State, b.State) || a.State.Text == b.State.Text);

    // Behind a gap the client has what it was just sent. Without one it has that and what it had before.
    static int TimelineLimit(RoomPlan plan, SlidingRoom? told) => plan.Initial || plan.ExpandsTimeline ? plan.TimelineLimit
        : told?.Timeline.Limited == true ? Math.Min(plan.TimelineLimit, plan.Sent!.TimelineLimit)
        : plan.Sent!.TimelineLimit;

    static LogPosition Max(LogPosition position, LogPosition? since) => since is { } seen && seen > position ? seen : position;
}
