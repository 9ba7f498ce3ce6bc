using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>A room of another server with a past, of which a user of ours, who has just joined, knows nothing yet.</summary>
sealed class RemoteHistory
{
    readonly RemoteServer _remote;
    readonly RoomVersionRules _rules;
    readonly Dictionary<StateKeyPair, Pdu> _state = [];

    RemoteHistory(RemoteServer remote, string version) =>
        (_remote, _rules, Room) = (remote, RoomVersions.Find(version)!, RoomId.Parse($"!room{Guid.NewGuid():N}:{remote.Name}"));

    public RoomId Room { get; }

    /// <summary>Oldest first.</summary>
    public List<Pdu> Events { get; } = [];

    /// <summary>How many requests for older events came.</summary>
    public int Asked => _remote.Requests.Count(request => request.Path.Contains("/backfill/", StringComparison.Ordinal));

    public static async Task<RemoteHistory> Make(MatrixServer server, RemoteServer remote, User user, int messages, Action<RemoteHistory>? more = null, string version = "10")
    {
        var history = new RemoteHistory(remote, version);
        var eve = remote.User("eve");
        history.Add(eve, EventTypes.Create, new { creator = eve.ToString(), room_version = version }, "");
        history.Add(eve, EventTypes.Member, new { membership = "join" }, eve.ToString());
        history.Add(eve, EventTypes.PowerLevels, new { users = new Dictionary<string, int> { [eve.ToString()] = 100 } }, "");
        history.Add(eve, EventTypes.JoinRules, new { join_rule = "public" }, "");
        for (var i = 0; i < messages; i++)
            history.Add(eve, "m.room.message", new { msgtype = "m.text", body = $"old {i}" }, null);
        more?.Invoke(history);
        await history.Enter(server, UserId.Parse(user.UserId));
        return history;
    }

    /// <summary>The ids of the room's state, without our user.</summary>
    public IEnumerable<string> State => _state.Values.Select(pdu => pdu.EventId.ToString());

    /// <summary>Gives pages of its past, as large as asked for, or smaller.</summary>
    public void Serve(int most)
    {
        _remote.On(HttpMethod.Get, "/_matrix/federation/v1/backfill/", request =>
        {
            var from = Query(request, "v").Max(id => Events.FindIndex(e => e.EventId.ToString() == id));
            var count = Math.Min(most, int.Parse(Query(request, "limit").Single(), System.Globalization.CultureInfo.InvariantCulture));
            return new { origin = _remote.Name.ToString(), origin_server_ts = 1, pdus = Events.Take(from + 1).TakeLast(count).Reverse().Select(Json) };
        });
        _remote.On(HttpMethod.Get, "/_matrix/federation/v1/state_ids/", request =>
        {
            var state = StateBefore(Query(request, "event_id").Single());
            return new { pdu_ids = state, auth_chain_ids = state };
        });
        _remote.On(HttpMethod.Get, "/_matrix/federation/v1/event/", request =>
            Events.FirstOrDefault(e => request.Path.EndsWith(Uri.EscapeDataString(e.EventId.ToString()), StringComparison.Ordinal)) is { } found
                ? new { pdus = new[] { Json(found) } } : RemoteAnswer.Error(System.Net.HttpStatusCode.NotFound, "M_NOT_FOUND"));
    }

    /// <summary>Gives the event nearest to a time.</summary>
    public void ServeTimes() => _remote.On(HttpMethod.Get, "/_matrix/federation/v1/timestamp_to_event/", request =>
    {
        var ts = long.Parse(Query(request, "ts").Single(), System.Globalization.CultureInfo.InvariantCulture);
        var found = Query(request, "dir").Single() == "f" ? Events.First(e => e.OriginServerTs >= ts) : Events.Last(e => e.OriginServerTs <= ts);
        return new { event_id = found.EventId.ToString(), origin_server_ts = found.OriginServerTs };
    });

    async Task Enter(MatrixServer server, UserId user)
    {
        var services = server.Services;
        var receiver = services.GetRequiredService<RoomReceiver>();
        var own = services.GetRequiredService<ServerSigningKey>();
        var room = await receiver.AddRoom(Room, _rules, default);
        var state = _state.Values.ToList();
        await receiver.StoreOutliers(room, state, default);
        var join = Builder(user, EventTypes.Member, new { membership = "join" }, user.ToString()).Build(_rules, own.ServerName, own.Key);
        var received = await receiver.Receive(room, join, [.. state.Select(pdu => pdu.EventId)], default);
        Assert.Equal(Reception.Accepted, received.Reception);
    }

    public Pdu Add(UserId sender, string type, object content, string? stateKey)
    {
        var pdu = _remote.Build(_rules, Builder(sender, type, content, stateKey));
        Events.Add(pdu);
        if (stateKey is not null)
            _state[new StateKeyPair(type, stateKey)] = pdu;
        return pdu;
    }

    public void Redact(UserId sender, EventId target) =>
        Events.Add(_remote.Build(_rules, Builder(sender, EventTypes.Redaction, new { }, null, target)));

    PduBuilder Builder(UserId sender, string type, object content, string? stateKey, EventId? redacts = null)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(content);
        var cited = type == EventTypes.Create ? [] : AuthEvents.KeysFor(type, stateKey, sender, JsonElement.Parse(json), _rules);
        return new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = sender, RoomId = Room, Content = json, PrevEvents = Events.Count == 0 ? [] : [Events[^1].EventId],
            AuthEvents = [.. cited.Select(_state.GetValueOrDefault).OfType<Pdu>().Select(pdu => pdu.EventId)], Depth = Events.Count + 1,
            OriginServerTs = 1_700_000_000_000 + Events.Count, Redacts = redacts,
        };
    }

    IEnumerable<string> StateBefore(string eventId) => Events.TakeWhile(e => e.EventId.ToString() != eventId).Where(e => e.IsState)
        .GroupBy(e => (e.Type, e.StateKey)).Select(group => group.Last().EventId.ToString());

    static IEnumerable<string> Query(RemoteRequest request, string name) => request.Target.Split('?')[1].Split('&').Where(part => part.StartsWith(name + "=", StringComparison.Ordinal))
        .Select(part => Uri.UnescapeDataString(part[(name.Length + 1)..]));

    static JsonElement Json(Pdu pdu) => JsonElement.Parse(pdu.Json.Span);
}
