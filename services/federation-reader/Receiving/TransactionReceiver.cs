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
    InboxStore store, RoomFinder rooms, RoomEvents events, EduReceiver edus, InboxWorker inbox, ReceivingOptions options, OriginLimitOptions limits, TimeProvider time,
    IHostApplicationLifetime lifetime)
{
    readonly Dictionary<(ServerName Origin, string TxnId), Task<byte[]>> underway = [];
    readonly Dictionary<ServerName, int> counts = [];
    readonly Lock gate = new(); // of both

    // Requests have their places (OriginLimits); half of these are for transactions whose sender has gone away, and given back the place of the request.
    int MostOfServer => 2 * limits.RcFederation.Concurrent;

    /// <returns>The answer, the same whenever the transaction is sent.</returns>
    /// <exception cref="MatrixException">It is no transaction, or too much of its server is under way or waits.</exception>
    public Task<byte[]> Receive(ServerName origin, string txnId, JsonElement body, CancellationToken ct)
    {
        var key = (origin, txnId);
        lock (gate)
        {
            // who sends it again while it is worked on waits for the same; who goes away does not stop it
            if (underway.TryGetValue(key, out var work))
                return work.WaitAsync(ct);
            var count = counts.GetValueOrDefault(origin);
            if (count >= MostOfServer)
            {
                ReceivingMetrics.Full(origin);
                throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(1));
            }
            counts[origin] = count + 1;
            work = underway[key] = Task.Run(() => WorkAndForget(key, body), CancellationToken.None);
            return work.WaitAsync(ct);
        }
    }

    async Task<byte[]> WorkAndForget((ServerName Origin, string TxnId) key, JsonElement body)
    {
        try
        {
            // what is under way when the process is told to stop is finished, as requests are
            return await Work(key.Origin, key.TxnId, body, lifetime.ApplicationStopped);
        }
        finally
        {
            lock (gate)
            {
                underway.Remove(key);
                if (--counts[key.Origin] == 0)
                    counts.Remove(key.Origin);
            }
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
