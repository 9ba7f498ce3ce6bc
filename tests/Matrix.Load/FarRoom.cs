using System.Text;
using System.Text.Json;
using Matrix.Protocol;
using Microsoft.AspNetCore.Http;

namespace Matrix.Load;

/// <summary>
/// A public room of the generator's own, with many members, that a server under load joins: what that server may ask about it (joining, the state in parts or
/// whole, single events), and nothing else.
/// </summary>
sealed class FarRoom
{
    static readonly RoomVersionRules s_rules = RoomVersions.Find("10")!;

    readonly KeyedServer _server;
    readonly IReadOnlyList<KeyedServer> _others;
    readonly Dictionary<EventId, Pdu> _events = [];
    readonly List<Pdu> _state = [];

    /// <param name="others">Servers whose users its members are, in turn; null: they are the server's own.</param>
    public FarRoom(KeyedServer server, int members, IReadOnlyList<KeyedServer>? others = null)
    {
        (_server, _others) = (server, others ?? []);
        RoomId = RoomId.Create($"far{Guid.NewGuid():N}", server.Name);
        var creator = UserId.Create("creator", server.Name);
        var create = Add(EventTypes.Create, "", creator, $$"""{"room_version":"10","creator":"{{creator}}"}""", []);
        var first = Add(EventTypes.Member, creator.ToString(), creator, """{"membership":"join"}""", [create]);
        var levels = Add(EventTypes.PowerLevels, "", creator, $$$"""{"users":{"{{{creator}}}":100}}""", [create, first]);
        var rule = Add(EventTypes.JoinRules, "", creator, """{"join_rule":"public"}""", [create, first, levels]);
        Add("m.room.history_visibility", "", creator, """{"history_visibility":"shared"}""", [create, first, levels]);
        Add(EventTypes.Name, "", creator, $$"""{"name":"A room of {{members}}"}""", [create, first, levels]);
        Auth = [create.EventId, levels.EventId, rule.EventId];
        for (var i = 1; i < members; i++)
        {
            var at = _others.Count == 0 ? server : _others[(i - 1) % _others.Count];
            var user = UserId.Create($"member{i}", at.Name);
            Add(EventTypes.Member, user.ToString(), user, $$"""{"membership":"join","displayname":"Member {{i}}"}""", [create, levels, rule], at);
        }
    }

    public RoomId RoomId { get; }

    IReadOnlyList<EventId> Auth { get; }

    Pdu Last => _state[^1];

    /// <summary>Answers a request about this room.</summary>
    /// <param name="endpoint">As it is in the path, such as <c>send_join</c>.</param>
    public Task Answer(HttpContext context, string endpoint, string last) => endpoint switch
    {
        "make_join" => Give(context, Encoding.UTF8.GetBytes(Template(last))),
        "send_join" => SendJoin(context),
        "state" => State(context),
        "state_ids" => Give(context, JsonSerializer.SerializeToUtf8Bytes(new { pdu_ids = Ids(Before(context)), auth_chain_ids = Ids(_state.Take(4)) })),
        "event_auth" => Give(context, [.. "{\"auth_chain\":["u8, .. Join(_state.Take(4)), .. "]}"u8]),
        "event" => Give(context, [.. Encoding.UTF8.GetBytes($"{{\"origin\":\"{_server.Name}\",\"origin_server_ts\":1,\"pdus\":["), .. _events[EventId.Parse(last)].Json.Span, .. "]}"u8]),
        _ => Give(context, """{"pdus":[],"events":[]}"""u8.ToArray()),
    };

    public bool Has(EventId id) => _events.ContainsKey(id);

    string Template(string user) => $$"""
        {"room_version":"10","event":{"type":"m.room.member","room_id":"{{RoomId}}","sender":"{{user}}","state_key":"{{user}}","content":{"membership":"join"},
        "depth":{{Last.Depth + 1}},"origin":"{{_server.Name}}","origin_server_ts":{{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}},
        "prev_events":["{{Last.EventId}}"],"auth_events":{{JsonSerializer.Serialize(Ids(Auth))}} } }
        """;

    async Task SendJoin(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var omits = context.Request.Query["omit_members"] == "true";
        var told = omits ? _state.Take(6) : _state;
        var servers = JsonSerializer.Serialize(_others.Prepend(_server).Select(server => server.Name.ToString()));
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(
            $"{{\"origin\":\"{_server.Name}\",\"members_omitted\":{(omits ? "true" : "false")},\"servers_in_room\":{servers},\"event\":"), context.RequestAborted);
        await context.Response.Body.WriteAsync(body.ToArray(), context.RequestAborted);
        await Whole(context, ",\"state\":[", told);
    }

    async Task State(HttpContext context) => await Whole(context, "{\"pdus\":[", Before(context));

    async Task Whole(HttpContext context, string begin, IEnumerable<Pdu> state)
    {
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(begin), context.RequestAborted);
        await context.Response.Body.WriteAsync(Join(state), context.RequestAborted);
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("],\"auth_chain\":["), context.RequestAborted);
        await context.Response.Body.WriteAsync(Join(_state.Take(4)), context.RequestAborted);
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("]}"), context.RequestAborted);
    }

    /// <summary>The state before the event that is asked about: that of the last one, or of a join after it.</summary>
    IEnumerable<Pdu> Before(HttpContext context) => context.Request.Query["event_id"] == Last.EventId.ToString() ? _state.SkipLast(1) : _state;

    Pdu Add(string type, string stateKey, UserId sender, string content, IReadOnlyList<Pdu> auth, KeyedServer? by = null)
    {
        var pdu = new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = sender, RoomId = RoomId, Content = Encoding.UTF8.GetBytes(content),
            PrevEvents = _state.Count == 0 ? [] : [Last.EventId], AuthEvents = [.. auth.Select(e => e.EventId)], Depth = _state.Count + 1,
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        }.Build(s_rules, (by ?? _server).Name, (by ?? _server).Key);
        _state.Add(pdu);
        return _events[pdu.EventId] = pdu;
    }

    static byte[] Join(IEnumerable<Pdu> pdus)
    {
        using var joined = new MemoryStream();
        foreach (var pdu in pdus)
        {
            if (joined.Length > 0) joined.WriteByte((byte)',');
            joined.Write(pdu.Json.Span);
        }
        return joined.ToArray();
    }

    static string[] Ids(IEnumerable<Pdu> pdus) => Ids(pdus.Select(pdu => pdu.EventId));

    static string[] Ids(IEnumerable<EventId> ids) => [.. ids.Select(id => id.ToString())];

    static async Task Give(HttpContext context, byte[] body) => await context.Response.Body.WriteAsync(body, context.RequestAborted);
}
