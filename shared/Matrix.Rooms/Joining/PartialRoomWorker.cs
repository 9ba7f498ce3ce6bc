using System.Collections.Concurrent;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using EventId = Matrix.Protocol.EventId;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Makes rooms whole that were joined without their members: any replica takes any room that nobody holds, and holds it by renewing. What a killed process
/// held is taken by another when <see cref="HeldFor"/> is over. Asks nobody while this process has heard of no such room.
/// </summary>
public sealed partial class PartialRoomWorker : BackgroundService
{
    const int AtOnce = 4, MostServers = 20;

    internal static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Tick = TimeSpan.FromSeconds(1), Quiet = TimeSpan.FromMinutes(1), LongestPause = TimeSpan.FromMinutes(5);

    readonly PartialRooms partial;
    readonly PartialRoomStore store;
    readonly RoomStore rooms;
    readonly EventStore events;
    readonly RoomServers servers;
    readonly SendJoinExchange exchange;
    readonly RoomCompletion completion;
    readonly DatabaseOutage outage;
    readonly TimeProvider time;
    readonly ILogger logger;
    readonly ConcurrentDictionary<(long Room, long Join), Task> working = [];
    readonly CancellationTokenSource ending = new();

    internal PartialRoomWorker(
        PartialRooms partial, PartialRoomStore store, RoomStore rooms, EventStore events, RoomServers servers, SendJoinExchange exchange,
        RoomCompletion completion, DatabaseOutage outage, TimeProvider time, ILogger<PartialRoomWorker> logger)
    {
        (this.partial, this.store, this.rooms, this.events, this.servers, this.exchange) = (partial, store, rooms, events, servers, exchange);
        (this.completion, this.outage, this.time, this.logger) = (completion, outage, time, logger);
    }

    internal Guid Holder { get; } = Guid.NewGuid();

    /// <summary>Begins to ask a server for the state before a join.</summary>
    /// <inheritdoc cref="SendJoinExchange.FetchState" path="/param[@name='isBig']"/>
    internal Task<ToldEvents> Fetch(ServerName server, Room room, EventId join, Action isBig) =>
        Task.Run(() => exchange.FetchState(server, room, join, isBig, ending.Token));

    /// <summary>Goes on with a room that this process has just joined, and holds.</summary>
    /// <param name="underway">The members are being asked for already.</param>
    internal void Continue(PartialRoom room, Task<ToldEvents> underway) =>
        working.GetOrAdd((room.RoomNid, room.JoinNid), key => Task.Run(() => Work(room, underway, key, ending.Token)));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await ending.CancelAsync();
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(working.Values);
    }

    public override void Dispose()
    {
        ending.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var told = partial.News();
            try
            {
                if (!working.IsEmpty)
                    await store.Renew(Holder, HeldFor, stoppingToken);
                var any = await partial.Any(stoppingToken);
                if (any && working.Count < AtOnce)
                    await Claim(stoppingToken);
                // the log tells of a room that becomes partial
                await partial.Wait(told, any || !working.IsEmpty ? Tick : Quiet, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (DatabaseOutage.IsOne(e))
            {
                outage.Failed(e);
                await Task.Delay(Tick, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task Claim(CancellationToken ct)
    {
        foreach (var room in await store.Claim(Holder, HeldFor, AtOnce - working.Count, ct))
            _ = working.GetOrAdd((room.RoomNid, room.JoinNid), key => Task.Run(() => Work(room, null, key, ending.Token), CancellationToken.None));
        if (working.IsEmpty)
            await partial.LookAgainAt(ct);
    }

    async Task Work(PartialRoom partialRoom, Task<ToldEvents>? underway, (long, long) key, CancellationToken ct)
    {
        try
        {
            var room = (await rooms.List([partialRoom.RoomNid], ct))[0];
            if (await Ask(room, partialRoom, underway, ct) is { } told)
            {
                await completion.Complete(room, partialRoom, told, ct);
                IsWhole(room.RoomId, told.State.Count);
                return;
            }
            if (!await completion.TryAbandon(partialRoom, ct))
                await Postpone(partialRoom, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // another process goes on, at once if it is told so
            await ((Task)store.Release(partialRoom, Holder, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (DatabaseOutage.IsOne(e))
        {
            outage.Failed(e);
        }
        catch (Exception e)
        {
            Failed(partialRoom.RoomNid, e); // the edge of the loop: the room comes round again
            await ((Task)Postpone(partialRoom, ct)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            working.TryRemove(key, out _);
        }
    }

    Task<int> Postpone(PartialRoom room, CancellationToken ct)
    {
        var pause = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(room.Attempts, 20)));
        return store.Postpone(room, Holder, pause < LongestPause ? pause : LongestPause, ct);
    }

    /// <summary>Null: none of the servers tells it.</summary>
    async Task<ToldEvents?> Ask(Room room, PartialRoom partialRoom, Task<ToldEvents>? underway, CancellationToken ct)
    {
        var join = (await events.Get([partialRoom.JoinNid], ct))[partialRoom.JoinNid];
        var (first, others) = (ServerName.Parse(partialRoom.ToldBy), await servers.ListLargest(room.RoomNid, MostServers, ct));
        foreach (var server in others.Where(server => server != first).Prepend(first))
        {
            try
            {
                var fetch = underway ?? exchange.FetchState(server, room, join.EventId, () => { }, ct);
                underway = null;
                return await fetch;
            }
            catch (Exception e) when (e is FederationException or ProtocolException or System.Text.Json.JsonException)
            {
                NotTold(room.RoomId, server, e.Message);
            }
        }
        return null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "All of {RoomId} is known now: {Count} events of its state")]
    partial void IsWhole(RoomId roomId, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "The members of {RoomId} were not to be had of {Server}: {Reason}")]
    partial void NotTold(RoomId roomId, ServerName server, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Room {RoomNid} could not be made whole; it is tried again")]
    partial void Failed(long roomNid, Exception cause);
}
