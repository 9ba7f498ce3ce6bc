using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Memberships in rooms that this server is not in, by the handshakes of the Server-Server API (Joining, Knocking, Leaving Rooms): another server says where
/// the event would stand, this one makes and signs it, and the other one puts it into the room. One server after the other is asked.
/// </summary>
public sealed partial class RemoteMembership
{
    const int MaxServers = 20;
    static readonly string Versions = string.Concat(RoomVersions.All.Select(v => $"&ver={v.Id}"))[1..];

    readonly FederationClient client;
    readonly SendJoinExchange exchange;
    readonly ServerSigningKey own;
    readonly RoomReceiver receiver;
    readonly RoomAdoption adoption;
    readonly PartialRooms partial;
    readonly PartialRoomWorker worker;
    readonly PartialJoinOptions partialJoins;
    readonly OutOfBandMemberships outOfBand;
    readonly MembershipStore memberships;
    readonly RoomServers servers;
    readonly RoomStore rooms;
    readonly EventStore events;
    readonly TimeProvider time;
    readonly ILogger logger;

    internal static RemoteMembership Create(IServiceProvider p) => new(
        p.GetRequiredService<FederationClient>(), p.GetRequiredService<SendJoinExchange>(), p.GetRequiredService<ServerSigningKey>(),
        p.GetRequiredService<RoomReceiver>(), p.GetRequiredService<RoomAdoption>(), p.GetRequiredService<PartialRooms>(),
        p.GetRequiredService<PartialRoomWorker>(), p.GetRequiredService<IOptions<PartialJoinOptions>>().Value,
        p.GetRequiredService<OutOfBandMemberships>(), p.GetRequiredService<MembershipStore>(), p.GetRequiredService<RoomServers>(),
        p.GetRequiredService<RoomStore>(), p.GetRequiredService<EventStore>(), p.GetRequiredService<TimeProvider>(),
        p.GetRequiredService<ILogger<RemoteMembership>>());

    internal RemoteMembership(
        FederationClient client, SendJoinExchange exchange, ServerSigningKey own, RoomReceiver receiver, RoomAdoption adoption, PartialRooms partial,
        PartialRoomWorker worker, PartialJoinOptions partialJoins,
        OutOfBandMemberships outOfBand, MembershipStore memberships, RoomServers servers, RoomStore rooms, EventStore events, TimeProvider time,
        ILogger<RemoteMembership> logger)
    {
        (this.client, this.exchange, this.own, this.receiver, this.adoption) = (client, exchange, own, receiver, adoption);
        (this.partial, this.worker, this.partialJoins) = (partial, worker, partialJoins);
        (this.outOfBand, this.memberships, this.servers, this.rooms, this.events, this.time, this.logger) =
            (outOfBand, memberships, servers, rooms, events, time, logger);
    }

    /// <summary>Servers by which the room may be reached: those that the user names, who invited the user, the one that made the room, those in it when we left.</summary>
    public async ValueTask<IReadOnlyList<ServerName>> Candidates(RoomId roomId, RoomStanding standing, IEnumerable<ServerName>? via, CancellationToken ct)
    {
        var found = new List<ServerName>(via ?? []);
        if (ServerName.TryParse(standing.Server, out var told))
            found.Add(told);
        if (UserId.TryParse(standing.Sender, out var sender))
            found.Add(sender.Server);
        if (roomId.Server is { } maker)
            found.Add(maker);
        if (standing.RoomNid is { } nid)
            found.AddRange(await servers.ListLargest(nid, MaxServers, ct));
        return [.. found.Where(server => server != own.ServerName).Distinct().Take(MaxServers)];
    }

    /// <summary>Has this server ever been in the room?</summary>
    public async Task<bool> HasState(Room room, CancellationToken ct) => await rooms.FindHead(room.RoomNid, ct) is { Extremities.Count: > 0 };

    /// <summary>Joins by way of one of the servers.</summary>
    /// <exception cref="RoomException">None of them lets the user in.</exception>
    public async Task<SentEvent> Join(RoomId roomId, UserId user, JsonObject content, IReadOnlyList<ServerName> servers, CancellationToken ct)
    {
        await using var lease = await AcquireJoin(roomId, ct);
        var standing = await memberships.FindStanding(roomId, user, ct);
        if (standing is { Membership: "join", IsResident: true, EventNid: { } joined })
            return new SentEvent((await events.Get([joined], ct))[joined].EventId, LogPosition.Start);
        // who else came in meanwhile may not know the members yet, and whether this user may come in
        if (standing is { IsResident: true, RoomNid: { } nid })
            await partial.UntilWhole(nid, ct);
        return await Ask(servers, async server =>
        {
            var template = await Make("make_join", server, roomId, user, "join", ct);
            var pdu = template.Build(roomId, user, content.DeepClone().AsObject(), own, time);
            var room = await outOfBand.GetRoomToJoin(roomId, template.Rules, ct);
            // from here on others see the user in the room: a client that goes away takes nothing back
            return await SendJoin(server, room, pdu, standing.IsResident, CancellationToken.None);
        });
    }

    /// <summary>Knocks by way of one of the servers.</summary>
    public Task<SentEvent> Knock(RoomId roomId, UserId user, JsonObject content, IReadOnlyList<ServerName> servers, CancellationToken ct) => Ask(servers, async server =>
    {
        var template = await Make("make_knock", server, roomId, user, "knock", ct);
        var pdu = template.Build(roomId, user, content.DeepClone().AsObject(), own, time);
        var answer = await client.Put<JsonElement>(server, $"/_matrix/federation/v1/send_knock/{Escape(roomId)}/{Escape(pdu.EventId)}", pdu.Json, ct);
        var shown = answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("knock_room_state", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().ToList() : [];
        return await outOfBand.Set(await outOfBand.GetRoom(roomId, template.Rules, ct), pdu, new ShownRoom(StrippedState.Write(shown), server), ct);
    });

    /// <summary>Turns down an invite or takes back a knock. If no server answers, the room is left all the same, as far as the user is concerned.</summary>
    public async Task<SentEvent> Leave(Room room, UserId user, JsonObject content, IReadOnlyList<ServerName> servers, CancellationToken ct)
    {
        Pdu leave;
        try
        {
            leave = await Ask(servers, async server =>
            {
                var template = await Make("make_leave", server, room.RoomId, user, "leave", ct);
                var pdu = template.Build(room.RoomId, user, content.DeepClone().AsObject(), own, time);
                await client.Put<JsonElement>(server, $"/_matrix/federation/v2/send_leave/{Escape(room.RoomId)}/{Escape(pdu.EventId)}", pdu.Json, ct);
                return pdu;
            });
        }
        catch (RoomException e)
        {
            LeftAlone(room.RoomId, e.Message);
            leave = BuildAlone(room, user, content);
        }
        return await outOfBand.Set(room, leave, null, ct);
    }

    /// <summary>An event that no other server will ever see.</summary>
    Pdu BuildAlone(Room room, UserId user, JsonObject content) => new PduBuilder
    {
        Type = EventTypes.Member,
        StateKey = user.ToString(),
        Sender = user,
        RoomId = room.RoomId,
        Content = JsonSerializer.SerializeToUtf8Bytes(content),
        Depth = 1,
        OriginServerTs = time.GetUtcNow().ToUnixTimeMilliseconds(),
    }.Build(room.Rules, own.ServerName, own.Key);

    async Task<MemberTemplate> Make(string endpoint, ServerName server, RoomId roomId, UserId user, string membership, CancellationToken ct)
    {
        var query = endpoint == "make_leave" ? "" : $"?{Versions}";
        var answer = await client.Get<JsonElement>(server, $"/_matrix/federation/v1/{endpoint}/{Escape(roomId)}/{Escape(user)}{query}", ct);
        return MemberTemplate.Read(answer, roomId, user, membership) ?? throw new InvalidEventException($"The answer to {endpoint} is not about this.");
    }

    async Task<SentEvent> SendJoin(ServerName server, Room room, Pdu join, bool isResident, CancellationToken ct)
    {
        var told = await exchange.Send(server, room, join, omitMembers: !isResident && partialJoins.Enabled && await partial.AreKnownToAll(ct), ct);
        Joined(room.RoomId, server, told.Events.State.Count);
        if (!isResident)
            return told.MembersOmitted ? await AdoptWithout(told, ct) : (await adoption.Adopt(told, Adoption.Whole, ct)).Sent;
        var received = await receiver.Receive(room, told.Join, [.. told.Events.State.Select(e => e.EventId)], ct);
        return received.Reception == Reception.Accepted ? new SentEvent(received.EventId, received.Position)
            : throw RoomException.Forbidden($"The join is not allowed: {received.Reason}");
    }

    /// <summary>
    /// Of a small room the members are here in a moment, and nobody ever sees it without them. Of one that turns out big, or takes its time, they come behind the user's back.
    /// </summary>
    async Task<SentEvent> AdoptWithout(JoinedRoom told, CancellationToken ct)
    {
        var big = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var members = worker.Fetch(told.By, told.Room, told.Join.EventId, () => big.TrySetResult());
        await ((Task)Task.WhenAny(members, big.Task)).WaitAsync(partialJoins.Patience, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (members.IsCompletedSuccessfully)
            return (await adoption.Adopt(told with { Members = await members }, Adoption.Whole, ct)).Sent;
        var (sent, joinNid) = await adoption.Adopt(told, new Adoption(told.By, worker.Holder, PartialRoomWorker.HeldFor), ct);
        worker.Continue(new PartialRoom(told.Room.RoomNid, joinNid, told.By.ToString(), 0), members);
        return sent;
    }

    /// <summary>Joins of one room go one after the other, in all processes: the second user finds the server in the room.</summary>
    async Task<Lease> AcquireJoin(RoomId roomId, CancellationToken ct)
    {
        while (true)
        {
            if (await outOfBand.TryAcquireJoin(roomId, ct) is { } lease)
                return lease;
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, ct);
        }
    }

    /// <summary>Asks one server after the other. Of their refusals the one that says most about the room is the answer.</summary>
    async Task<T> Ask<T>(IReadOnlyList<ServerName> servers, Func<ServerName, Task<T>> ask)
    {
        RoomException? refusal = null;
        foreach (var server in servers)
        {
            try
            {
                return await ask(server);
            }
            // a room that does not let the user in as this server tells it may be told otherwise by the next: one that lies keeps nobody out
            catch (Exception e) when (e is FederationException or ProtocolException or JsonException or RoomException { Status: < 500 })
            {
                Refused(server, e.Message);
                var said = e as RoomException ?? Explain(e);
                if (refusal is null || Weight(said) > Weight(refusal))
                    refusal = said;
            }
        }
        throw refusal ?? RoomException.NotFound("No server is known by which the room could be reached.");
    }

    static RoomException Explain(Exception e) => e is FederationException { Status: >= 400 and < 500, Errcode: { } errcode } refused
        && errcode is not ("M_MISSING_PARAM" or "M_INVALID_PARAM" or "M_UNRECOGNIZED" or "M_UNAUTHORIZED" or "M_LIMIT_EXCEEDED")
        ? new RoomException(refused.Status.Value, errcode, refused.Message)
        : new RoomException(502, "M_UNKNOWN", "No server by which the room could be reached gave a usable answer.");

    static int Weight(RoomException e) => e.Errcode switch
    {
        "M_FORBIDDEN" => 5,
        "M_UNABLE_TO_GRANT_JOIN" => 4,
        "M_UNABLE_TO_AUTHORISE_JOIN" => 3,
        _ => e.Status < 500 ? 2 : 1,
    };

    static string Escape<T>(T id) => Uri.EscapeDataString(id!.ToString()!);

    [LoggerMessage(Level = LogLevel.Information, Message = "Joined {RoomId} by way of {Server}, which told of {Count} events of its state")]
    partial void Joined(RoomId roomId, ServerName server, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Server} did not help: {Reason}")]
    partial void Refused(ServerName server, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{RoomId} is left without any other server having been told: {Reason}")]
    partial void LeftAlone(RoomId roomId, string reason);
}
