using Matrix.Federation;
using Matrix.Storage.Federation;
using Microsoft.Extensions.Options;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// Reads what waits for a destination that lags, from the database. All of it if that is not much; after a long outage of each room the newest event, from
/// which the other server fetches what it misses as it wants.
/// </summary>
sealed class LagReader(OutgoingEventStore events, OutgoingMessageStore devices, StoredEdus edus, ServerSigningKey own, IOptions<SenderOptions> options)
{
    const int FewBehind = 5;

    readonly string suffix = $":{own.ServerName}";

    /// <summary>
    /// The next transactions of (after, upTo], of which the last has everything that is left, if it says <paramref name="upTo"/>. What waits is counted once for each
    /// ten thousand, not for each page.
    /// </summary>
    public async Task<IReadOnlyList<FederationTransaction>> Read(
        Destination destination, long after, long upTo, IReadOnlyList<OutgoingMessage> messages, CancellationToken ct)
    {
        var server = destination.Server.ToString();
        var (most, full) = (options.Value.PdusPerTransaction, options.Value.MostCaughtUpInFull);
        // what was counted once is sent in full before anything is counted again
        var counted = destination.InFullUpTo > after ? destination.InFullUpTo : 0;
        upTo = counted > 0 ? counted : upTo;
        var page = await events.ListPending(server, after, upTo, suffix, most, ct);
        if (page.Count == most && counted == 0)
        {
            if (await events.CountPending(server, after, upTo, suffix, full + 1, ct) > full)
                page = await events.ListNewestPending(server, after, upTo, suffix, most, ct);
            else
                destination.InFullUpTo = upTo;
        }
        var reached = page.Count < most ? upTo : page[^1].Position;
        List<OutgoingEdu> waiting = [.. await edus.Read(destination.Server, after, reached, ct), .. destination.TakeEdus(options.Value.EdusPerTransaction)];
        var chunks = waiting.Chunk(options.Value.EdusPerTransaction - messages.Count).ToArray();
        // EDUs that have no place beside the events go before them: once the last transaction is delivered, all are
        return
        [
            .. chunks.SkipLast(1).Select(chunk => new FederationTransaction([], chunk, [], 0)),
            new FederationTransaction([.. page.Select(OutgoingPdu.Of)], chunks.LastOrDefault() ?? [], messages, reached),
        ];
    }

    /// <summary>Some of what waits behind what was read: of a few rooms the newest event in (after, upTo], and the messages to devices after these.</summary>
    public async Task<FederationTransaction> ReadBehind(
        Destination destination, long after, long upTo, IReadOnlyList<OutgoingMessage> messages, CancellationToken ct)
    {
        var server = destination.Server.ToString();
        var newest = await events.ListNewestPending(server, after, upTo, suffix, FewBehind, ct);
        var others = messages is [.., var last] ? await devices.ListAfter(server, last.Position, last.Number, FewBehind, ct) : [];
        return new FederationTransaction([.. newest.Select(OutgoingPdu.Of)], [], others, 0);
    }
}
