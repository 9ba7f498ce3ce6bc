using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Rooms.Unread;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>Moves a user's receipts and the fully-read marker (Client-Server API, "Receipts" and "Read and unread markers").</summary>
sealed class ReadMarkers(RoomFinder rooms, ReceiptStore store, EventThreads threads, LogWriter log, TimeProvider time)
{
    /// <param name="threadId">Null: the whole room.</param>
    public async Task Move(RoomId roomId, UserId user, string type, EventId eventId, string? threadId, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is not { } room)
            throw MatrixException.Forbidden("You are not in this room.");
        var target = await store.FindTarget(room.RoomNid, user.ToString(), type, threadId ?? "", eventId.ToString(), ct);
        if (target?.Membership != "join")
            throw MatrixException.Forbidden("You are not in this room.");
        if (target.EventPosition is not { } position)
            throw MatrixException.NotFound("There is no such event in this room.");
        if (threadId is not null && !await threads.Belongs(room.RoomNid, Pdu.FromStored(eventId, target.EventJson!, room.Rules), threadId, ct))
            throw MatrixException.InvalidParam("The event is not in this thread.");
        if (type == EventTypes.FullyRead)
        {
            var content = JsonSerializer.Serialize(new Dictionary<string, string> { ["event_id"] = eventId.ToString() });
            await log.Append(new AccountDataChanged(user, roomId, EventTypes.FullyRead, content), ct);
        }
        else if (target.CurrentPosition is not { } current || current < position)
        {
            var receipt = new Receipt(
                room.RoomNid, user.ToString(), type, threadId ?? "", eventId.ToString(), time.GetUtcNow().ToUnixTimeMilliseconds(), 0);
            await log.Append(new ReceiptMoved(receipt, position), ct);
        }
    }
}
