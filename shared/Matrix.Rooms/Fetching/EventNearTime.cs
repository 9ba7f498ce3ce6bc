using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Joining;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Asks other servers for the event nearest to a time that lies where events are missing here (Client-Server API, timestamp_to_event), and gives it its place in the
/// gap. What is missing above it and below it is brought when somebody pages there (<see cref="HistoryBackfill"/>).
/// </summary>
public sealed partial class EventNearTime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Room that has to be left around the event, for a page.</summary>
    const int LeastPlaces = 1000;

    readonly EventRequests requests;
    readonly OldEvents old;
    readonly EventStore events;
    readonly TimelineGapStore gaps;
    readonly RoomServers servers;
    readonly LogWriter log;
    readonly LogFollower follower;
    readonly FetchingOptions options;
    readonly ServerSigningKey own;
    readonly PartialRooms partial;
    readonly ILogger<EventNearTime> logger;

    internal EventNearTime(EventRequests requests, OldEvents old, EventStore events, TimelineGapStore gaps, RoomServers servers, LogWriter log,
        LogFollower follower, FetchingOptions options, ServerSigningKey own, PartialRooms partial, ILogger<EventNearTime> logger) =>
        (this.requests, this.old, this.events, this.gaps, this.servers, this.log, this.follower, this.options, this.own, this.partial, this.logger) =
        (requests, old, events, gaps, servers, log, follower, options, own, partial, logger);

    /// <summary>Where events are missing around this time: the position of the event above them; null: none are.</summary>
    public Task<long?> FindGap(Room room, long ts, CancellationToken ct) => gaps.FindAt(room.RoomNid, ts, ct);

    /// <summary>Brings the event. False: nobody gives one that is nearer than what is here.</summary>
    /// <param name="above">What <see cref="FindGap"/> says.</param>
    /// <param name="ts">In milliseconds since 1970.</param>
    /// <param name="nearest">The time of the nearest event that is here; null: there is none.</param>
    public async Task<bool> Bring(Room room, long above, long ts, bool forwards, long? nearest, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        try
        {
            await partial.UntilWhole(room.RoomNid, patience.Token);
            foreach (var server in (await servers.List(room.RoomNid, ct)).Where(server => server != own.ServerName).Take(options.MostServers))
            {
                if (await TryBring(room, server, above, ts, forwards, nearest, patience.Token))
                    return true;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // that is enough waiting for others
        }
        return false;
    }

    async Task<bool> TryBring(Room room, ServerName server, long above, long ts, bool forwards, long? nearest, CancellationToken ct)
    {
        try
        {
            if (await requests.FindNear(room, server, ts, forwards, ct) is not { } id || (await events.ListPlaced(room.RoomNid, [id], ct)).Count > 0
                || await requests.GetEvent(room, server, id, ct) is not { } pdu || !IsNearer(pdu)
                || await gaps.FindToFill(room.RoomNid, above, LeastPlaces, ct) is not { } gap)
                return false;
            var page = await old.Judge(room, gap, [pdu], server, ct);
            if (page.Events is not [{ Rejected: null }])
                return false;
            await follower.WaitFor(await log.Append(new HistoryChange(page, gap.PlaceOf(pdu.Depth)), ct), ct);
            return true;
        }
        catch (FederationException e)
        {
            NotFetched(room.RoomId, server, e.Message);
            return false;
        }
        catch (Exception e) when (e is HeadMovedException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return true; // another process brought it
        }

        bool IsNearer(Pdu pdu) => forwards
            ? pdu.OriginServerTs >= ts && !(pdu.OriginServerTs >= nearest)
            : pdu.OriginServerTs <= ts && !(pdu.OriginServerTs <= nearest);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "An event of {RoomId} near a time was not to be had of {Server}: {Reason}")]
    partial void NotFetched(RoomId roomId, ServerName server, string reason);
}
