using System.Collections.Concurrent;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Joining;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Logging;
using EventId = Matrix.Protocol.EventId;
using Npgsql;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Brings older events of a room from other servers when somebody pages back to where events are missing: where the known past ends, or to a gap in it. One page
/// at a time; who asks while one is on its way gets the same.
/// </summary>
public sealed partial class HistoryBackfill
{
    /// <summary>Events of a page, and of the ends that it is asked for from.</summary>
    const int PageSize = 100, MostEnds = 20;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly ConcurrentDictionary<(long RoomNid, long? Above), Lazy<Task<bool>>> underway = [];
    readonly EventRequests requests;
    readonly OldEvents old;
    readonly TimelineGapStore gaps;
    readonly RoomServers servers;
    readonly LogWriter log;
    readonly LogFollower follower;
    readonly FetchingOptions options;
    readonly ServerSigningKey own;
    readonly ILogger<HistoryBackfill> logger;
    readonly PartialRooms partial;

    internal HistoryBackfill(EventRequests requests, OldEvents old, TimelineGapStore gaps, RoomServers servers, LogWriter log, LogFollower follower, FetchingOptions options,
        ServerSigningKey own, ILogger<HistoryBackfill> logger, PartialRooms partial) =>
        (this.requests, this.old, this.gaps, this.servers, this.log, this.follower, this.options, this.own, this.logger, this.partial) =
        (requests, old, gaps, servers, log, follower, options, own, logger, partial);

    /// <summary>Fetches a page of a gap. False: nothing is missing there, or nobody gives it.</summary>
    /// <param name="above">The position of the event right above the gap; null: the end of the known past.</param>
    public async Task<bool> Bring(Room room, long? above, CancellationToken ct)
    {
        // who goes away does not stop it for the others
        var work = underway.GetOrAdd((room.RoomNid, above), _ => new Lazy<Task<bool>>(() => BringPage(room, above)));
        try
        {
            return await work.Value.WaitAsync(ct);
        }
        finally
        {
            if (work.Value.IsCompleted)
                underway.TryRemove(KeyValuePair.Create((room.RoomNid, above), work));
        }
    }

    async Task<bool> BringPage(Room room, long? above)
    {
        using var patience = new CancellationTokenSource(Patience);
        var ct = patience.Token;
        try
        {
            await partial.UntilWhole(room.RoomNid, ct); // the states there are found from the one at the join
            if (await gaps.FindToFill(room.RoomNid, above, PageSize, ct) is not { } gap)
                return false;
            var ends = await gaps.ListMissing(room.RoomNid, gap, MostEnds, ct);
            if (ends.Count == 0)
                return false;
            foreach (var server in (await servers.List(room.RoomNid, ct)).Where(server => server != own.ServerName).Take(options.MostServers))
            {
                if (await TryBring(room, gap, server, ends, ct))
                    return true;
            }
        }
        catch (OperationCanceledException)
        {
            // that is enough waiting for others
        }
        return false;
    }

    async Task<bool> TryBring(Room room, TimelineGap gap, ServerName server, IReadOnlyList<EventId> ends, CancellationToken ct)
    {
        try
        {
            var page = await old.Judge(room, gap, await requests.Backfill(room, server, ends, PageSize, ct), server, ct);
            if (page.Events.Count + page.Older.Count == 0)
                return false;
            // who reads it sees no more of it than the room's visibility allows, of which it may tell
            await follower.WaitFor(await log.Append(new HistoryChange(page), ct), ct);
            return page.Events.Any(e => e.Rejected is null);
        }
        catch (FederationException e)
        {
            NotFetched(room.RoomId, server, e.Message);
            return false;
        }
        catch (Exception e) when (e is HeadMovedException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return true; // another process brought them
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The history of {RoomId} was not to be had of {Server}: {Reason}")]
    partial void NotFetched(RoomId roomId, ServerName server, string reason);
}
