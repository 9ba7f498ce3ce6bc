using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>A room of a scripted server: its events, as they would be sent.</summary>
sealed class RemoteRoom
{
    readonly Dictionary<StateKeyPair, Pdu> state = [];
    Pdu? last;

    public RemoteRoom(RemoteServer server, RoomVersionRules rules, string? joinRule = "public")
    {
        (Server, Rules) = (server, rules);
        Creator = server.User("creator");
        RoomId = rules.RoomIdIsCreateHash ? null : Protocol.RoomId.Create($"r{Guid.NewGuid():N}", server.Name);
        var create = Add("m.room.create", "", new { room_version = rules.Id, creator = Creator.ToString() });
        RoomId ??= create.RoomId;
        Add("m.room.member", Creator.ToString(), new { membership = "join" });
        Add("m.room.power_levels", "", rules.HasPrivilegedCreators ? new { users = new Dictionary<string, int>() } : new { users = new Dictionary<string, int> { [Creator.ToString()] = 100 } });
        if (joinRule is not null)
            Add("m.room.join_rules", "", new { join_rule = joinRule });
    }

    public RemoteServer Server { get; }

    public RoomVersionRules Rules { get; }

    public UserId Creator { get; }

    public RoomId? RoomId { get; private set; }

    public string Id => RoomId!.Value.ToString();

    public List<Pdu> Events { get; } = [];

    public IReadOnlyCollection<Pdu> State => state.Values;

    public Pdu Last => last!;

    /// <summary>Builds an event on the last one, authorised by the state, without adding it.</summary>
    public Pdu Build(string type, string? stateKey, object content, UserId? sender = null)
    {
        var element = JsonSerializer.SerializeToElement(content);
        var keys = AuthEvents.KeysFor(type, stateKey, sender ?? Creator, element, Rules);
        return Server.Build(Rules, new PduBuilder
        {
            Type = type,
            StateKey = stateKey,
            Sender = sender ?? Creator,
            RoomId = RoomId,
            ContentElement = element,
            PrevEvents = last is null ? [] : [last.EventId],
            AuthEvents = [.. keys.Select(state.GetValueOrDefault).OfType<Pdu>().Select(pdu => pdu.EventId)],
            Depth = (last?.Depth ?? 0) + 1,
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        });
    }

    public Pdu Add(string type, string? stateKey, object content, UserId? sender = null) => Take(Build(type, stateKey, content, sender));

    public Pdu Take(Pdu pdu)
    {
        Events.Add(pdu);
        last = pdu;
        if (pdu.StateKey is { } key)
            state[new StateKeyPair(pdu.Type, key)] = pdu;
        return pdu;
    }

    /// <summary>Lets users of other servers join: make_join and send_join answer as they should.</summary>
    /// <param name="tell">Changes the answer to send_join.</param>
    public void Serve(Action<JsonObject>? tell = null)
    {
        Server.On(HttpMethod.Get, "/_matrix/federation/v1/make_join/", request => Template(request, "join"));
        Server.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", request =>
        {
            var before = new JsonArray([.. State.Select(pdu => JsonNode.Parse(pdu.Json.Span))]);
            var chain = new JsonArray([.. Events.Where(pdu => pdu.IsState).Select(pdu => JsonNode.Parse(pdu.Json.Span))]);
            Take(Pdu.Parse(request.Body, Rules));
            var answer = new JsonObject { ["auth_chain"] = chain, ["state"] = before, ["origin"] = Server.Name.ToString() };
            tell?.Invoke(answer);
            return answer;
        });
    }

    /// <summary>The same without the members, which are told by <paramref name="state"/>, who is given the whole state before the newest join.</summary>
    /// <param name="others">Servers that are said to be in the room beside this one.</param>
    public void ServeWithoutMembers(Func<JsonObject, Task<object?>> state, params ServerName[] others) => ServeWithoutMembers(state, answer => answer, others);

    /// <param name="joined">Makes the answer to send_join of what it should be.</param>
    /// <inheritdoc cref="ServeWithoutMembers(Func{JsonObject, Task{object?}}, ServerName[])"/>
    public void ServeWithoutMembers(Func<JsonObject, Task<object?>> state, Func<JsonObject, object?> joined, params ServerName[] others)
    {
        JsonObject? whole = null;
        Server.On(HttpMethod.Get, "/_matrix/federation/v1/make_join/", request => Template(request, "join"));
        Server.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", request =>
        {
            whole = WholeState();
            var join = Pdu.Parse(request.Body, Rules);
            var cited = Events.Where(pdu => join.AuthEvents.Contains(pdu.EventId) || pdu.Sender == Creator && pdu.IsState).Select(Json);
            var answer = new JsonObject
            {
                ["members_omitted"] = true, ["servers_in_room"] = new JsonArray([.. others.Prepend(Server.Name).Select(name => JsonValue.Create(name.ToString()))]),
                ["auth_chain"] = new JsonArray([.. cited]), ["state"] = new JsonArray([.. State.Where(pdu => pdu.Type != "m.room.member").Select(Json)]),
            };
            Take(join);
            return joined(answer);
        });
        TellState(Server, () => whole!, state);
    }

    /// <summary>Another server of the room tells its state.</summary>
    public static void TellState(RemoteServer server, Func<JsonObject> whole, Func<JsonObject, Task<object?>> state) =>
        server.On(HttpMethod.Get, "/_matrix/federation/v1/state/", (_, _) => state(whole()));

    /// <summary>As it is now, for /state.</summary>
    public JsonObject WholeState() => new()
    {
        ["pdus"] = new JsonArray([.. State.Select(Json)]), ["auth_chain"] = new JsonArray([.. Events.Where(pdu => pdu.IsState).Select(Json)]),
    };

    /// <summary>Sends events to one of our servers.</summary>
    public async Task Send(MatrixServer to, params IReadOnlyList<Pdu> pdus) => (await Server.Put(to, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new
    {
        origin = Server.Name.ToString(), origin_server_ts = 1, pdus = pdus.Select(pdu => JsonElement.Parse(pdu.Json.Span)),
    })).Ok();

    static JsonNode? Json(Pdu pdu) => JsonNode.Parse(pdu.Json.Span);

    /// <summary>The same, the answer made before it is asked for: for rooms so big that making it takes its time.</summary>
    public void ServeWhole()
    {
        Serve();
        var answer = new System.Text.StringBuilder("{\"auth_chain\":[");
        answer.AppendJoin(',', Events.Where(pdu => pdu.Type != "m.room.member" || pdu.Sender == Creator).Select(pdu => System.Text.Encoding.UTF8.GetString(pdu.Json.Span)));
        answer.Append("],\"state\":[").AppendJoin(',', State.Select(pdu => System.Text.Encoding.UTF8.GetString(pdu.Json.Span))).Append("]}");
        var bytes = System.Text.Encoding.UTF8.GetBytes(answer.ToString());
        Server.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", _ => bytes);
    }

    public object Template(RemoteRequest request, string membership)
    {
        var user = Uri.UnescapeDataString(request.Path[(request.Path.LastIndexOf('/') + 1)..]);
        var pdu = Build("m.room.member", user, new { membership }, UserId.Parse(user));
        var template = JsonNode.Parse(pdu.Json.Span)!.AsObject();
        foreach (var ours in (string[])["hashes", "signatures", "event_id"])
            template.Remove(ours);
        return new { room_version = Rules.Id, @event = template };
    }

    /// <summary>An invite of one of our users by a server that says nothing else.</summary>
    public static async Task<(string Room, Reply Reply)> Invite(RemoteServer from, MatrixServer to, User target, string version = "10")
    {
        var invite = BuildInvite(from, target, version);
        var reply = (await SendInvite(from, to, invite, [new { type = "m.room.name", state_key = "", sender = $"@x:{from.Name}", content = new { name = "Afar" } }])).Ok();
        return (invite.RoomId.ToString(), reply);
    }

    public static Pdu BuildInvite(
        RemoteServer from, User user, string version, string? sender = null, string membership = "invite", string type = "m.room.member", string? target = null,
        string? room = null)
    {
        var rules = RoomVersions.Find(version)!;
        return from.Build(rules, new PduBuilder
        {
            Type = type,
            StateKey = target ?? user.UserId,
            Sender = UserId.Parse($"@x:{sender ?? from.Name.ToString()}"),
            RoomId = room is null ? Protocol.RoomId.Create($"r{Guid.NewGuid():N}", from.Name) : Protocol.RoomId.Parse(room),
            ContentElement = JsonSerializer.SerializeToElement(new { membership }),
            PrevEvents = [EventId.Parse("$" + new string('a', 43))],
            AuthEvents = [EventId.Parse("$" + new string('b', 43))],
            Depth = 7,
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        });
    }

    public static Task<Reply> SendInvite(RemoteServer from, MatrixServer to, Pdu invite, object[] shown, string? version = null) => from.Put(
        to, $"/_matrix/federation/v2/invite/{Abroad.Esc(invite.RoomId.ToString())}/{Abroad.Esc(invite.EventId.ToString())}",
        new { room_version = version ?? invite.Rules.Id, @event = JsonElement.Parse(invite.Json.Span), invite_room_state = shown });
}
