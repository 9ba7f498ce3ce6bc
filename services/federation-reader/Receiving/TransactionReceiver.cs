using System.Collections.Concurrent;
using System.Text.Json;
using Matrix.FederationReader.Edus;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>
/// Takes in a transaction (PUT /send) and answers when each of its events is part of its room, or refused, or in the inbox (README): what is answered for is
/// stored. A process that is killed before has answered nothing, and the other server sends it all again.
/// </summary>
sealed class TransactionReceiver(
    InboxStore store, RoomFinder rooms, RoomEvents events, EduReceiver edus, InboxWorker inbox, ReceivingOptions options, TimeProvider time,
    IHostApplicationLifetime lifetime)
{
    readonly ConcurrentDictionary<(ServerName Origin, string TxnId), Lazy<Task<byte[]>>> underway = [];

    /// <returns>The answer, the same whenever the transaction is sent.</returns>
    public async Task<byte[]> Receive(ServerName origin, string txnId, JsonElement body, CancellationToken ct)
    {
        var key = (origin, txnId);
        // who sends it again while it is worked on waits for the same; who goes away does not stop it
        var work = underway.GetOrAdd(key, _ => new Lazy<Task<byte[]>>(() => Work(origin, txnId, body, lifetime.ApplicationStopping)));
        try
        {
            return await work.Value.WaitAsync(ct);
        }
        finally
        {
            if (work.Value.IsCompleted)
                underway.TryRemove(KeyValuePair.Create(key, work));
        }
    }

    async Task<byte[]> Work(ServerName origin, string txnId, JsonElement body, CancellationToken ct)
    {
        var transaction = TransactionBody.Read(body, origin);
        var state = await store.Find(origin, txnId, ct);
        if (state.Response is { } answered)
            return answered;
        if (state.Lanes.Count > 0 && await store.CountWaiting(origin, options.MostWaiting, ct) >= options.MostWaiting)
        {
            ReceivingMetrics.Full(origin);
            throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(30));
        }
        ReceivingMetrics.Received(transaction);

        var outcome = new TransactionOutcome();
        var told = transaction.Edus.Count > 0 ? edus.ReceiveApart(origin, transaction.Edus, ct) : Task.CompletedTask;
        var until = time.GetTimestamp() + (long)(options.Patience.TotalSeconds * time.TimestampFrequency);
        await Parallel.ForEachAsync(transaction.Rooms, new ParallelOptions { MaxDegreeOfParallelism = options.RoomsAtOnce, CancellationToken = ct },
            async (pdus, token) =>
            {
                if (await rooms.Find(pdus.Key, token) is { } room)
                    await events.Receive(origin, room, [.. pdus], state.Lanes.Contains(room.RoomNid), until, outcome, token);
            });
        await told;
        var (waiting, answer) = (outcome.Waiting, outcome.Write());
        if (transaction.Edus.Count > 0)
            await edus.ReceiveAbout(origin, transaction.Edus, state.Lanes.Union(waiting.Select(e => e.RoomNid)).ToHashSet(), ct);
        await store.Insert(origin, txnId, answer, waiting, ct);
        if (waiting.Count > 0)
            inbox.Wake();
        return answer;
    }
}
