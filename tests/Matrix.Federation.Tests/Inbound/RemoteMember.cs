using System.Collections.Concurrent;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>A user of another server in a room of one of ours, whose server makes events on whatever events of the room it likes.</summary>
sealed class RemoteMember
{
    static int s_transactions;

    readonly ConcurrentDictionary<EventId, Pdu> _made = [];

    RemoteMember(MatrixServer server, RemoteServer remote, Room room, UserId user) => (Server, Remote, Room, User) = (server, remote, room, user);

    public MatrixServer Server { get; }

    public RemoteServer Remote { get; }

    public Room Room { get; }

    public UserId User { get; }

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    EventStore Events => Server.Services.GetRequiredService<EventStore>();

    /// <summary>Joins a public room, in which somebody of our server is. The other server gives, one by one, the events that it made.</summary>
    public static async Task<RemoteMember> Join(MatrixServer server, RemoteServer remote, string roomId, string localpart = "eve")
    {
        var member = await Find(server, remote, roomId, localpart);
        var join = await member.Build(EventTypes.Member, new { membership = "join" }, member.User.ToString());
        Assert.Null(await member.Send(join));
        return member;
    }

    /// <summary>One who is in the room already.</summary>
    public static async Task<RemoteMember> Find(MatrixServer server, RemoteServer remote, string roomId, string localpart = "eve")
    {
        var room = await server.Services.GetRequiredService<RoomFinder>().Get(RoomId.Parse(roomId), Ct);
        var member = new RemoteMember(server, remote, room, remote.User(localpart));
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event/", member.GiveEvent);
        return member;
    }

    /// <summary>The events at which the room ends, as our server has them.</summary>
    public async Task<RoomHead> Head() => (await Server.Services.GetRequiredService<RoomStore>().FindHead(Room.RoomNid, Ct))!;

    /// <summary>The room's state, as our server has it.</summary>
    public async Task<IReadOnlyList<Pdu>> State()
    {
        var entries = await Server.Services.GetRequiredService<RoomState>().ReadAll((await Head()).StateRoot, Ct);
        var stored = await Events.Get([.. entries.Select(e => e.EventNid)], Ct);
        return [.. stored.Values.Select(e => Pdu.FromStored(e.EventId, e.Json, e.Rules))];
    }

    /// <summary>An event on these, or on the room's ends, that cites what the room's state demands, or these.</summary>
    public async Task<Pdu> Build(
        string type, object content, string? stateKey = null, IReadOnlyList<EventId>? prev = null, IReadOnlyList<EventId>? auth = null, long? depth = null,
        UserId? sender = null, EventId? redacts = null)
    {
        var head = await Head();
        var user = sender ?? User;
        var json = JsonSerializer.SerializeToUtf8Bytes(content);
        var pdu = Remote.Build(Room.Rules, new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = user, RoomId = Room.RoomId, Content = json, PrevEvents = prev ?? [.. head.Extremities.Take(20).Select(e => e.EventId)],
            AuthEvents = auth ?? await AuthOf(type, stateKey, user, JsonElement.Parse(json)), Depth = depth ?? head.Depth + 1,
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), Redacts = redacts,
        });
        return _made[pdu.EventId] = pdu;
    }

    public Task<Pdu> Text(string body, IReadOnlyList<EventId>? prev = null, IReadOnlyList<EventId>? auth = null) =>
        Build("m.room.message", new { msgtype = "m.text", body }, prev: prev, auth: auth);

    /// <summary>Messages, each on the one before; the first on these.</summary>
    public async Task<List<Pdu>> Chain(int length, IReadOnlyList<EventId>? prev = null)
    {
        var chain = new List<Pdu>(length);
        for (var i = 0; i < length; i++)
            chain.Add(await Text($"link {i}", i == 0 ? prev : [chain[^1].EventId]));
        return chain;
    }

    /// <summary>Sends one event in a transaction of its own.</summary>
    /// <returns>Why it was refused, or null.</returns>
    public async Task<string?> Send(Pdu pdu)
    {
        var answer = (await Put(pdus: [pdu])).Ok()["pdus"].GetProperty(pdu.EventId.ToString());
        return answer.TryGetProperty("error", out var error) ? error.GetString() : null;
    }

    public Task<Reply> Put(string? txnId = null, params IReadOnlyList<Pdu> pdus) => PutRaw(txnId, [.. pdus.Select(pdu => JsonElement.Parse(pdu.Json.Span))]);

    public Task<Reply> PutRaw(string? txnId, params IReadOnlyList<JsonElement> pdus) =>
        Remote.Put(Server, $"/_matrix/federation/v1/send/{txnId ?? $"t{Interlocked.Increment(ref s_transactions)}"}",
            new { origin = Remote.Name.ToString(), origin_server_ts = 1, pdus });

    public Task<Reply> Get(string path) => Remote.Get(Server, $"/_matrix/federation/v1/{path}");

    /// <summary>How our server has the event; null: not at all.</summary>
    public Task<StoredEvent?> Stored(EventId eventId) => Events.FindByEventId(eventId, Ct);

    /// <summary>Waits until the event is part of the room, or has been rejected.</summary>
    public async Task<StoredEvent> Arrived(EventId eventId) =>
        (await Eventually.Get($"{eventId} arrives", () => Stored(eventId), stored => stored is { StateBefore: not null }))!;

    async Task<List<EventId>> AuthOf(string type, string? stateKey, UserId user, JsonElement content)
    {
        var state = Server.Services.GetRequiredService<RoomState>();
        var root = await state.CurrentRoot(Room.RoomNid, Ct);
        var cited = new List<EventId>();
        foreach (var key in AuthEvents.KeysFor(type, stateKey, user, content, Room.Rules))
        {
            if (await state.Get(root, key.Type, key.StateKey, Ct) is { } pdu)
                cited.Add(pdu.EventId);
        }
        return cited;
    }

    object? GiveEvent(RemoteRequest request) =>
        EventId.TryParse(Uri.UnescapeDataString(request.Path.Split('/')[^1]), out var id) && _made.TryGetValue(id, out var pdu)
            ? new { origin = Remote.Name.ToString(), origin_server_ts = 1, pdus = new[] { JsonElement.Parse(pdu.Json.Span) } }
            : RemoteAnswer.Error(System.Net.HttpStatusCode.NotFound, "M_NOT_FOUND");
}
