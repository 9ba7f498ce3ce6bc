using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Rooms.Unread;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>
/// Moves a user's receipts and the fully-read marker (Client-Server API, "Receipts" and "Read and unread markers"). For an event that is
/// remembered, everything that has to be checked is in memory, and one round trip writes all.
/// </summary>
sealed class ReadMarkers(
    RoomFinder rooms, ReceiptStore store, RoomSights sights, EventCache events, EventThreads threads, LogWriter log, Caches caches, TimeProvider time)
{
    // Of the events that were marked lately, which never changes: in a big room many read the same one.
    readonly BoundedCache<EventId, (long Room, long Position)> positions = caches.Create<EventId, (long Room, long Position)>(
        "receipt_positions", 2 << 20, (eventId, _) => 40 + Caches.WeightOf(eventId.ToString()));

    // Where receipts were moved to by this process: clients like to repeat them.
    readonly BoundedCache<(long Room, string User, string Type, string Thread), long> moved =
        caches.Create<(long Room, string User, string Type, string Thread), long>(
            "receipts_moved", 2 << 20, (key, _) => 32 + Caches.WeightOf(key.User) + Caches.WeightOf(key.Thread));

    /// <param name="threadId">Null: the whole room.</param>
    public async Task Move(RoomId roomId, UserId user, IReadOnlyList<(string Type, EventId EventId)> markers, string? threadId, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is not { } room)
            throw MatrixException.Forbidden("You are not in this room.");
        var changes = new List<LogChange>(markers.Count);
        var receipts = new List<(string Type, long Position)>(markers.Count);
        foreach (var (type, eventId) in markers)
        {
            var position = await Check(room, user, eventId, threadId, ct);
            if (type == EventTypes.FullyRead)
            {
                var content = JsonSerializer.Serialize(new Dictionary<string, string> { ["event_id"] = eventId.ToString() });
                changes.Add(new AccountDataChanged(user, roomId, EventTypes.FullyRead, content));
            }
            else if (!moved.TryGet((room.RoomNid, user.ToString(), type, threadId ?? ""), out var known) || known < position)
            {
                var receipt = new Receipt(
                    room.RoomNid, user.ToString(), type, threadId ?? "", eventId.ToString(), time.GetUtcNow().ToUnixTimeMilliseconds(), 0);
                changes.Add(new ReceiptMoved(receipt, position));
                receipts.Add((type, position));
            }
        }
        if (changes.Count == 0)
            return;
        await log.Append(changes is [var only] ? only : new LogChanges(changes), ct);
        foreach (var (type, position) in receipts)
            moved.Set((room.RoomNid, user.ToString(), type, threadId ?? ""), position);
    }

    /// <summary>The position of the event, if a marker of the user may stand there.</summary>
    async ValueTask<long> Check(Room room, UserId user, EventId eventId, string? threadId, CancellationToken ct)
    {
        if (Remembered(room, eventId, threadId) is { } remembered && (await sights.Get(room.RoomNid, user.ToString(), ct)).IsJoined)
        {
            if (threadId is not null)
                await DemandThread(room, eventId, EventRelation.Read(remembered.Event!.Content.Span), threadId, ct);
            return remembered.Position;
        }
        var target = await store.FindTarget(room.RoomNid, user.ToString(), eventId.ToString(), ct);
        if (target?.Membership != "join")
            throw MatrixException.Forbidden("You are not in this room.");
        if (target.EventPosition is not { } position || target.EventJson is not { } json)
            throw MatrixException.NotFound("There is no such event in this room.");
        if (threadId is not null)
            await DemandThread(room, eventId, EventRelation.Read(Pdu.FromStored(eventId, json, room.Rules)), threadId, ct);
        positions.Set(eventId, (room.RoomNid, position));
        return position;
    }

    /// <summary>The event as far as it is needed: with its content when a thread is asked for.</summary>
    (long Position, EncodedEvent? Event)? Remembered(Room room, EventId eventId, string? threadId)
    {
        if (events.FindRemembered(eventId.ToString()) is { Position: { } shown } e)
            return e.RoomNid == room.RoomNid ? (shown, e) : null;
        return threadId is null && positions.TryGet(eventId, out var known) && known.Room == room.RoomNid ? (known.Position, null) : null;
    }

    async ValueTask DemandThread(Room room, EventId eventId, EventRelation? relation, string threadId, CancellationToken ct)
    {
        if (!await threads.Belongs(room.RoomNid, eventId, relation, threadId, ct))
            throw MatrixException.InvalidParam("The event is not in this thread.");
    }
}
