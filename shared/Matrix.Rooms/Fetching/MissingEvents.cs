using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Logging;
using EventId = Matrix.Protocol.EventId;

namespace Matrix.Rooms.Fetching;

/// <summary>
/// Brings what <see cref="RoomReceiver"/> says it lacks: auth events, the events before an event, or the state before it. All of it within the bounds of
/// <see cref="FetchingOptions"/>, however much another server offers.
/// </summary>
public sealed partial class MissingEvents
{
    readonly RoomReceiver receiver;
    readonly EventRequests requests;
    readonly MissingAuth auth;
    readonly MissingState states;
    readonly EventStore events;
    readonly RoomStore rooms;
    readonly FetchingOptions options;
    readonly ILogger<MissingEvents> logger;

    internal MissingEvents(RoomReceiver receiver, EventRequests requests, MissingAuth auth, MissingState states, EventStore events, RoomStore rooms,
        FetchingOptions options, ILogger<MissingEvents> logger) =>
        (this.receiver, this.requests, this.auth, this.states, this.events, this.rooms, this.options, this.logger) =
        (receiver, requests, auth, states, events, rooms, options, logger);

    /// <summary>Makes an event part of its room, with what it needs.</summary>
    /// <param name="servers">Who may have what is missing: first who sent the event, then others of the room.</param>
    /// <returns>What became of it. It may still be missing something: nobody had it, or it was too much.</returns>
    public async Task<ReceivedEvent> Receive(Room room, Pdu pdu, IReadOnlyList<ServerName> servers, CancellationToken ct)
    {
        var received = await receiver.Receive(room, pdu, null, ct);
        foreach (var server in servers.Distinct().Take(options.MostServers))
        {
            if (!IsMissing(received))
                break;
            try
            {
                received = await Receive(room, pdu, server, received, ct);
            }
            catch (FederationException e)
            {
                NotFetched(pdu.EventId, server, e.Message);
            }
        }
        return received;
    }

    static bool IsMissing(ReceivedEvent received) => received.Reception is Reception.MissingAuthEvents or Reception.MissingPrevEvents;

    async Task<ReceivedEvent> Receive(Room room, Pdu pdu, ServerName server, ReceivedEvent received, CancellationToken ct)
    {
        received = await WithAuth(room, pdu, server, received, ct);
        if (received.Reception != Reception.MissingPrevEvents)
            return received;
        await FillGap(room, pdu, server, ct);
        received = await receiver.Receive(room, pdu, null, ct);
        return received.Reception == Reception.MissingPrevEvents ? await WithState(room, pdu, server, received, ct) : received;
    }

    async Task<ReceivedEvent> WithAuth(Room room, Pdu pdu, ServerName server, ReceivedEvent received, CancellationToken ct)
    {
        if (received.Reception != Reception.MissingAuthEvents)
            return received;
        await auth.Fetch(room, pdu.EventId, received.Missing!, server, ct);
        return await receiver.Receive(room, pdu, null, ct);
    }

    async Task<ReceivedEvent> WithState(Room room, Pdu pdu, ServerName server, ReceivedEvent received, CancellationToken ct) =>
        await states.Fetch(room, pdu.EventId, server, ct) is { } before ? await receiver.Receive(room, pdu, before, ct) : received;

    /// <summary>Takes in what lies between what is here and the event, as far as it is to be had.</summary>
    async Task FillGap(Room room, Pdu pdu, ServerName server, CancellationToken ct)
    {
        var gap = await FetchGap(room, pdu, server, ct);
        var statesLeft = options.MostStates;
        var ordered = Ordered(gap);
        for (var done = 0; done < ordered.Count;)
        {
            await foreach (var some in receiver.ReceiveAll(room, [.. ordered.Skip(done)], ct))
            {
                done += some.Count;
                if (!IsMissing(some[^1]))
                    continue;
                var received = await WithAuth(room, ordered[done - 1], server, some[^1], ct);
                if (received.Reception == Reception.MissingPrevEvents && statesLeft-- > 0)
                    await WithState(room, ordered[done - 1], server, received, ct);
            }
        }
    }

    /// <summary>The events before this one that are not here, until one is met that is, or until it is enough.</summary>
    async Task<Dictionary<EventId, Pdu>> FetchGap(Room room, Pdu pdu, ServerName server, CancellationToken ct)
    {
        var head = await rooms.FindHead(room.RoomNid, ct);
        var earliest = head?.Extremities.Take(20).Select(e => e.EventId).ToList() ?? [];
        var (gap, latest) = (new Dictionary<EventId, Pdu>(), new List<EventId> { pdu.EventId });
        for (var round = 0; round < options.MostRounds && gap.Count < options.MostPrevEvents && latest.Count > 0; round++)
        {
            var found = await requests.GetMissing(room, server, earliest, latest, Math.Min(100, options.MostPrevEvents - gap.Count), ct);
            var news = found.Where(e => e.EventId != pdu.EventId && gap.TryAdd(e.EventId, e)).Count();
            if (news == 0)
                break;
            var open = gap.Values.Where(e => e.PrevEvents.Any(prev => !gap.ContainsKey(prev))).ToList();
            var known = await events.ListPlaced(room.RoomNid, [.. open.SelectMany(e => e.PrevEvents).Where(prev => !gap.ContainsKey(prev)).Distinct()], ct);
            latest = [.. open.Where(e => e.PrevEvents.Any(prev => !gap.ContainsKey(prev) && !known.Contains(prev))).Select(e => e.EventId).Take(20)];
        }
        return gap;
    }

    /// <summary>Each after those that it builds on; those that build on each other, which an attacker can make in old room versions, by depth at the end.</summary>
    internal static IReadOnlyList<Pdu> Ordered(IReadOnlyDictionary<EventId, Pdu> pdus)
    {
        var open = pdus.Values.ToDictionary(pdu => pdu.EventId, pdu => pdu.PrevEvents.Distinct().Count(pdus.ContainsKey));
        var followers = pdus.Values.SelectMany(pdu => pdu.PrevEvents.Distinct().Where(pdus.ContainsKey).Select(prev => (prev, pdu))).ToLookup(e => e.prev, e => e.pdu);
        var ready = new PriorityQueue<Pdu, long>(pdus.Values.Where(pdu => open[pdu.EventId] == 0).Select(pdu => (pdu, pdu.Depth)));
        var ordered = new List<Pdu>(pdus.Count);
        while (ready.TryDequeue(out var pdu, out _))
        {
            ordered.Add(pdu);
            open.Remove(pdu.EventId);
            foreach (var follower in followers[pdu.EventId])
            {
                if (--open[follower.EventId] == 0)
                    ready.Enqueue(follower, follower.Depth);
            }
        }
        return [.. ordered, .. open.Keys.Select(id => pdus[id]).OrderBy(pdu => pdu.Depth)];
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "What {Event} needs was not to be had of {Server}: {Reason}")]
    partial void NotFetched(EventId @event, ServerName server, string reason);
}
