using System.Collections.Concurrent;
using System.Text.Json;
using Matrix.ClientApi.Tests.Errors;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>
/// What another server must not send, rightly signed, to every route for servers: the inputs are made from the list of routes and from what their handlers
/// take. A refusal is in the spec's form, and nothing is ever an internal error.
/// </summary>
public sealed class BadInputTests(FederatedServers all) : RemoteMemberTests(all)
{
    static readonly string[] BadValues =
        ["x", "%00", "%FF%FE", "%2F..%2F", "%ED%A0%80", "-1", "99999999999999999999", "%7B%22a%22:%5B", "%F0%9F%98%80", "@nobody:nowhere.example", "$nothing", new string('a', 3000)];

    static readonly KnownRoute[] Routes = [.. KnownRoute.All.Where(route => route.Path.StartsWith("/_matrix/federation/", StringComparison.Ordinal))];

    readonly ConcurrentQueue<string> failures = new();
    [Fact]
    public Task Bodies_that_are_not_what_they_should_be_are_refused() => ForEach(Routes.Where(route => route.Body is not null), async route =>
    {
        foreach (var (name, text, errcode) in BadBodies.NoObjects.Where(bad => bad.Name != HalfSurrogateTests.Body))
            await Check(route, name, Good(route), text, reply => errcode is null || reply.Errcode == errcode || reply.Errcode == "M_NOT_JSON" || (int)reply.Status is 401 or 403 or 404);
        foreach (var (name, text, refused) in new BadBodies(alice, room).Of(route.Body!))
            await Check(route, name, Good(route), text, reply => !refused || (int)reply.Status >= 300);
    });

    [Fact]
    public Task Ids_and_parameters_that_mean_nothing_are_refused() => ForEach(Routes, async route =>
    {
        foreach (var value in BadValues)
        {
            foreach (var bad in route.Parameters)
                await Check(route, $"{bad} is {value[..Math.Min(value.Length, 20)]}", route.Fill(name => name == bad ? value : GoodValue(name)), Empty(route), _ => true);
            foreach (var bad in route.Query)
                await Check(route, $"{bad}={value[..Math.Min(value.Length, 20)]}", $"{Good(route)}?{bad}={value}", Empty(route), _ => true);
        }
    });

    [Fact]
    public async Task Parts_of_transactions_that_are_wrong_do_no_harm()
    {
        foreach (var (name, event_) in await BadEvents())
            await CheckSend(name, new { origin = remote.Name.ToString(), origin_server_ts = 1, pdus = new[] { event_ } });
        string[] types = ["m.presence", "m.typing", "m.receipt", "m.direct_to_device", "m.device_list_update", "m.signing_key_update", "x"];
        string[] contents =
        [
            "null", "1", "\"x\"", "[]", "{}", "[null]", """{"push":[null,{"user_id":1},{"user_id":"x","presence":{}}]}""", """{"room_id":1,"user_id":"x","typing":"y"}""",
            """{"!x:y":{"m.read":{"@x:y":{"event_ids":[1,null],"data":[]},"x":null}},"x":1}""", """{"sender":1,"type":[],"message_id":{},"messages":[]}""",
            """{"sender":"@x:y","type":"m.x","message_id":"1","messages":{"@x:y":null,"x":{"*":1}}}""", """{"user_id":{},"device_id":1,"stream_id":"x","prev_id":[null],"keys":[]}""",
        ];
        foreach (var type in types)
        {
            foreach (var content in contents)
                await CheckSend($"{type} {content}", new { origin = remote.Name.ToString(), edus = new[] { new { edu_type = type, content = JsonElement.Parse(content) } } });
        }
        Assert.True(failures.IsEmpty, string.Join('\n', failures));
        // and it still works
        Assert.Null(await eve.Send(await eve.Text("after all")));
    }

    /// <summary>Events with one wrong member each, signed as they are.</summary>
    async Task<List<(string, JsonElement)>> BadEvents()
    {
        var bad = new List<(string, JsonElement)>();
        var good = System.Text.Json.Nodes.JsonNode.Parse((await eve.Text("good")).Json.Span)!.AsObject();
        foreach (var member in good.Select(member => member.Key).ToList())
        {
            foreach (var json in (string[])["null", "-1", "1.5", "9007199254740993", "\"\"", "\"\\u0000\"", "[]", "[[]]", "[null]", "{}", """{"a":{"b":null}}"""])
            {
                var changed = good.DeepClone().AsObject();
                changed[member] = System.Text.Json.Nodes.JsonNode.Parse(json);
                bad.Add(($"{member} is {json}", Sign(changed.ToJsonString())));
            }
        }
        return bad;
    }

    JsonElement Sign(string json)
    {
        try
        {
            return JsonElement.Parse(EventSignatures.Sign(System.Text.Encoding.UTF8.GetBytes(json), eve.Room.Rules, remote.Name, remote.Key));
        }
        catch (InvalidJsonException)
        {
            return JsonElement.Parse(json);
        }
    }

    async Task CheckSend(string what, object body)
    {
        var reply = await remote.Put(servers.First, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", body);
        if ((int)reply.Status != 200 && !(reply.Errcode is not null && (int)reply.Status is >= 400 and < 500))
            failures.Enqueue($"{what}: {Short(reply)}");
    }

    async Task ForEach(IEnumerable<KnownRoute> routes, Func<KnownRoute, Task> test)
    {
        await Parallel.ForEachAsync(routes, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (route, _) => await test(route));
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    async Task Check(KnownRoute route, string what, string path, string? body, Func<Reply, bool> isExpected)
    {
        var json = body is null ? null : System.Text.Encoding.UTF8.GetBytes(body);
        var reply = await remote.Send(servers.First.BaseUrl, new HttpMethod(route.Method), path, json, Authorization(route.Method, path, json));
        // the HTTP server itself wants no NUL in a path
        if ((int)reply.Status == 400 && reply.Bytes.Length == 0 && path.Contains("%00", StringComparison.Ordinal))
            return;
        // 502 and 504: another server was asked, and did not answer
        var wellFormed = (int)reply.Status < 400 || ((int)reply.Status is < 500 or 502 or 504 && reply.Errcode is { Length: > 2 });
        if (!wellFormed || !isExpected(reply))
            failures.Enqueue($"{route}, {what}: {Short(reply)}");
    }

    /// <summary>What is no JSON cannot be signed: then it is something else that was.</summary>
    string Authorization(string method, string path, byte[]? json)
    {
        var to = ServerName.Parse(servers.First.ServerName);
        try
        {
            return XMatrix.Sign(remote.Name, remote.Key, to, method, path, json).ToString();
        }
        catch (Exception e) when (e is JsonException or InvalidJsonException)
        {
            return XMatrix.Sign(remote.Name, remote.Key, to, method, path, "{}"u8.ToArray()).ToString();
        }
    }

    static string? Empty(KnownRoute route) => route.Method == "GET" ? null : "{}";

    string Good(KnownRoute route) => route.Fill(GoodValue);

    string GoodValue(string name) => ApiClient.Esc(name switch
    {
        "userId" => eve.User.ToString(),
        "roomId" => room,
        "eventId" => "$" + new string('a', 43),
        _ => Guid.NewGuid().ToString("N"),
    });

    static string Short(Reply reply) => reply.ToString() is { Length: > 300 } text ? text[..300] : reply.ToString();
}
