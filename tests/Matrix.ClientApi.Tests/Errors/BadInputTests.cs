using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Matrix.ClientApi.Tests.Errors;

/// <summary>
/// Every route that is served gets what it should not: the inputs are made from the list of routes and from what their handlers take, so that a new
/// route is tested as soon as it is there. A refusal is in the spec's form, and nothing is ever an internal error.
/// </summary>
public sealed class BadInputTests(MatrixServer server)
{
    // these end the session, the account or the membership that the other requests of the route need
    static readonly string[] Ending = ["/logout", "/logout/all", "/deactivate", "/account/password", "/delete_devices", "/devices/{deviceId}", "/leave", "/forget", "/kick", "/ban", "/upgrade"];
    static readonly string[] BadValues = ["x", "%00", "%FF%FE", "%2F..%2F", "%ED%A0%80", "-1", "99999999999999999999", "%7B%22a%22:%5B", "%7B%22limit%22:%7B%7D%7D", "%F0%9F%98%80"];

    readonly ConcurrentQueue<string> failures = new();

    [Fact]
    public Task Bodies_that_are_not_what_they_should_be_are_refused() => ForEachRoute(KnownRoute.All.Where(route => route.Body is not null), async (route, user, room) =>
    {
        var path = Good(route, user, room);
        foreach (var (name, text, errcode) in BadBodies.NoObjects)
            await Check(route, name, user, path, text, reply => errcode is null || reply.Errcode == errcode || (int)reply.Status is 401 or 403 or 404);
        foreach (var (name, text, refused) in new BadBodies(user, room).Of(route.Body!))
            await Check(route, name, user, path, text, reply => !refused || !IsGood(reply));
    });

    [Fact]
    public Task Ids_in_paths_that_name_nothing_are_refused() => ForEachRoute(KnownRoute.All.Where(route => route.Parameters.Any()), async (route, user, room) =>
    {
        string[] values = [.. BadValues, new string('a', 3000), $"!nothing:{server.ServerName}", $"@nobody:{server.ServerName}", "$nothing", $"%23nothing:{server.ServerName}"];
        foreach (var bad in route.Parameters)
        {
            foreach (var value in values)
            {
                var path = route.Fill(name => name == bad ? value : GoodValue(name, user, room));
                await Check(route, $"{bad} is {value[..Math.Min(value.Length, 20)]}", user, path, route.Body is null ? null : "{}", _ => true);
            }
        }
    });

    [Fact]
    public Task Query_parameters_that_mean_nothing_are_refused_or_ignored() => ForEachRoute(KnownRoute.All.Where(route => route.Query.Count > 0), async (route, user, room) =>
    {
        var path = Good(route, user, room);
        foreach (var bad in route.Query)
        {
            foreach (var value in BadValues)
                await Check(route, $"{bad}={value}", user, $"{path}?{bad}={value}", route.Body is null ? null : "{}", _ => true);
        }
    });

    [Fact]
    public Task Methods_that_a_path_has_not_are_refused() => ForEachRoute(KnownRoute.All.DistinctBy(route => route.Fill(_ => "{}")), async (route, user, room) =>
    {
        var shape = route.Fill(_ => "{}");
        foreach (var method in new[] { "GET", "PUT", "POST", "DELETE", "PATCH" })
        {
            if (KnownRoute.All.Any(other => other.Method == method && Matches(other, shape)))
                continue;
            var reply = await user.Request(new HttpMethod(method), Good(route, user, room), method is "GET" or "DELETE" ? null : "{}");
            if (reply.Status is not (HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotFound) || reply.Errcode != "M_UNRECOGNIZED")
                failures.Enqueue($"{method} {route.Path}: {Short(reply)}");
        }
    });

    [Fact]
    public Task A_route_for_users_demands_a_token_that_is_one() => ForEachRoute(KnownRoute.All.Where(route => route.NeedsToken), async (route, user, room) =>
    {
        var path = Good(route, user, room);
        foreach (var (header, errcode) in new[] { (null, "M_MISSING_TOKEN"), ("Bearer x", "M_UNKNOWN_TOKEN"), ("Bearer ", "M_MISSING_TOKEN"), ("Basic eDp5", "M_MISSING_TOKEN") })
        {
            var reply = await server.Anonymous.Request(new HttpMethod(route.Method), path, route.Method == "GET" ? null : "{}",
                headers => { if (header is not null) headers.TryAddWithoutValidation("Authorization", header); });
            if (reply.Status != HttpStatusCode.Unauthorized || reply.Errcode != errcode)
                failures.Enqueue($"{route} with '{header}': {Short(reply)}");
        }
    });

    [Fact]
    public Task A_web_page_may_use_every_route() => ForEachRoute(KnownRoute.All.DistinctBy(route => route.Path), async (route, user, room) =>
    {
        var path = Good(route, user, room);
        var preflight = await server.Anonymous.Request(HttpMethod.Options, path, null, AsPage);
        if ((int)preflight.Status is not (200 or 204) || !Allows(preflight.Headers, route.Method))
            failures.Enqueue($"preflight of {route}: {Short(preflight)}");
        var reply = await server.Anonymous.Request(new HttpMethod(route.Method), path, route.Method == "GET" ? null : "{}", AsPage);
        if (!IsOpen(reply.Headers))
            failures.Enqueue($"{route}: {Short(reply)}");

        void AsPage(HttpRequestHeaders headers)
        {
            headers.TryAddWithoutValidation("Origin", "https://client.example");
            headers.TryAddWithoutValidation("Access-Control-Request-Method", route.Method);
            headers.TryAddWithoutValidation("Access-Control-Request-Headers", "authorization, content-type");
        }
    });

    [Theory]
    [InlineData("POST", "/_matrix/client/v3/createRoom")]
    [InlineData("POST", "/_matrix/client/v3/keys/upload")]
    [InlineData("POST", "/_matrix/client/v4/sync")]
    public async Task A_body_that_is_too_large_is_refused(string method, string path)
    {
        var user = await server.NewUser();
        var body = $$"""{"a":"{{new string('x', 11 << 20)}}"}""";
        (await user.Request(new HttpMethod(method), path, body, headers => headers.ExpectContinue = true)).Refused(413, "M_TOO_LARGE");
    }

    async Task ForEachRoute(IEnumerable<KnownRoute> routes, Func<KnownRoute, User, string, Task> test)
    {
        var admin = await server.NewUser(admin: true);
        var room = await admin.CreateRoom();
        var options = new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken };
        await Parallel.ForEachAsync(routes, options, async (route, _) =>
        {
            var (user, itsRoom) = (admin, room);
            if (Ending.Any(ending => route.Path.EndsWith(ending, StringComparison.Ordinal)))
            {
                user = await server.NewUser(admin: true);
                itsRoom = await user.CreateRoom();
            }
            await test(route, user, itsRoom);
        });
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    async Task Check(KnownRoute route, string what, User user, string path, string? body, Func<Reply, bool> isExpected)
    {
        var reply = await user.Request(new HttpMethod(route.Method), path, body);
        // the HTTP server itself wants no NUL in a path
        if (reply.Status == HttpStatusCode.BadRequest && reply.Bytes.Length == 0 && path.Contains("%00", StringComparison.Ordinal))
            return;
        if (!IsWellFormed(reply) || !isExpected(reply))
            failures.Enqueue($"{route}, {what}: {Short(reply)}");
    }

    static bool IsGood(Reply reply) => (int)reply.Status is >= 200 and < 300;

    // the spec's error, or the flows of user-interactive authentication
    static bool IsWellFormed(Reply reply)
    {
        if ((int)reply.Status < 400)
            return true;
        // 502 and 504: another server was asked, and did not answer
        if ((int)reply.Status is >= 500 and not (502 or 504))
            return false;
        try
        {
            return reply.Json.Find("flows") is not null || (reply.Errcode is { Length: > 2 } && reply.Json.String("error").Length > 0);
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException)
        {
            return false;
        }
    }

    static bool IsOpen(HttpResponseHeaders headers) => headers.TryGetValues("Access-Control-Allow-Origin", out var origin) && origin.SequenceEqual(["*"]);

    static bool Allows(HttpResponseHeaders headers, string method) =>
        IsOpen(headers)
        && headers.TryGetValues("Access-Control-Allow-Methods", out var methods) && string.Join(',', methods).Contains(method, StringComparison.Ordinal)
        && headers.TryGetValues("Access-Control-Allow-Headers", out var names)
        && new[] { "Authorization", "Content-Type" }.All(name => string.Join(',', names).Contains(name, StringComparison.OrdinalIgnoreCase));

    // a segment that one route names may be another's parameter
    static bool Matches(KnownRoute route, string shape)
    {
        var (theirs, ours) = (route.Path.Split('/'), shape.Split('/'));
        return (theirs.Length == ours.Length || (theirs.Length == ours.Length + 1 && theirs[^1].EndsWith("?}", StringComparison.Ordinal)))
            && ours.Zip(theirs).All(pair => pair.First == pair.Second || pair.Second.StartsWith('{'));
    }

    static string Good(KnownRoute route, User user, string room) => route.Fill(name => GoodValue(name, user, room));

    static string GoodValue(string name, User user, string room) => ApiClient.Esc(name switch
    {
        "userId" => user.UserId,
        "roomId" or "roomIdOrAlias" => room,
        "eventId" => "$" + new string('a', 43),
        "deviceId" => user.DeviceId,
        "roomAlias" => $"#nothing:{user.UserId[(user.UserId.IndexOf(':', StringComparison.Ordinal) + 1)..]}",
        "serverName" => user.UserId[(user.UserId.IndexOf(':', StringComparison.Ordinal) + 1)..],
        "kind" => "override",
        "eventType" or "type" => "m.room.message",
        "receiptType" => "m.read",
        "relType" => "m.thread",
        _ => "x",
    });

    static string Short(Reply reply) => reply.ToString() is { Length: > 300 } text ? text[..300] : reply.ToString();
}
