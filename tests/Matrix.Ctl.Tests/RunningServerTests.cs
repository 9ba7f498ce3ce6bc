using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Matrix.Testing;

namespace Matrix.Ctl.Tests;

/// <summary>A whole server, started, looked at, disturbed and stopped by the command line as an operator does it.</summary>
public sealed class RunningServerTests : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    readonly string folder = Directory.CreateTempSubdirectory("matrix-server-").FullName;
    readonly int port = FreePort.Find();
    readonly HttpClient http = new();

    public RunningServerTests() => File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Matrixctl("down", "--data", folder);
        await PrivateStack.Remove(folder, default);
    }

    [Fact]
    public async Task A_detached_server_is_shown_restarted_and_stopped_without_a_trace()
    {
        using var traces = new TraceReceiver();
        var up = await Tool.Matrixctl(new Dictionary<string, string>
        {
            ["MATRIX__opentelemetry__endpoint"] = traces.Url + "/v1/traces", ["MATRIX__opentelemetry__protocol"] = "http", ["MATRIX__OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["MATRIX__opentelemetry__accept_callers"] = "true",
        }, "up", "--detach", "--data", folder, "--port", $"{port}", "--server-name", "example.org", "--replicas", "client-api=2");
        Assert.True(up.ExitCode == 0, up.Output);
        Assert.Contains($"http://127.0.0.1:{port}", up.Output, StringComparison.Ordinal);
        Assert.Contains("register-user", up.Output, StringComparison.Ordinal);
        var processes = ServerState.Processes(folder).ToList();
        Assert.Superset(
            new HashSet<string>
            {
                "gateway", "client-api-1", "client-api-2", "federation-reader", "federation-sender", "media-repo", "pusher",
                "postgres", "rabbitmq", "redis",
            },
            processes.Select(process => process.Name).ToHashSet());

        var status = await Matrixctl("status", "--data", folder);
        Assert.True(status.ExitCode == 0, status.Output);
        using (var shown = JsonDocument.Parse((await Matrixctl("status", "--data", folder, "--json")).Output))
        {
            Assert.True(shown.RootElement.GetProperty("well").GetBoolean());
            Assert.Equal(processes.Select(process => process.Name).Order(),
                shown.RootElement.GetProperty("processes").EnumerateArray()
                    .Select(process => process.GetProperty("name").GetString()!).Order());
            Assert.All(shown.RootElement.GetProperty("processes").EnumerateArray().Where(process => process.GetProperty("name").GetString()!.StartsWith("client-api-", StringComparison.Ordinal)),
                process => Assert.Equal(JsonValueKind.Number, process.GetProperty("behind").ValueKind));
            var database = shown.RootElement.GetProperty("database");
            Assert.Equal(Storage.Migrations.Known[^1], database.GetProperty("schema").GetString());
            // the others have a position once they have taken their shards
            Assert.Subset(new HashSet<string> { "federation-sender", "pusher", "search" }, database.GetProperty("behind").EnumerateObject().Select(follower => follower.Name).ToHashSet());
            Assert.Equal(JsonValueKind.Array, database.GetProperty("jobs").ValueKind);
        }
        await LogLevelsChangeWhileItRuns();
        await OneSendIsOneTrace(traces, await AnAdministratorLooksAfterIt());

        var restart = await Matrixctl("restart", "client-api", "--data", folder, "--json");
        Assert.True(restart.ExitCode == 0, restart.Output);
        Assert.Equal("{\"done\":true,\"steps\":[\"client-api-1: restarting\",\"client-api-1: ready\",\"client-api-2: restarting\",\"client-api-2: ready\"]}", restart.Output.Trim());
        Assert.Equal("{\"error\":\"No service 'nothing' runs here; these do: client-api, federation-reader, federation-sender, gateway, media-repo, pusher.\"}",
            (await Matrixctl("restart", "nothing", "--data", folder, "--json")).Output.Trim());
        var after = ServerState.Processes(folder).ToList();
        Assert.Equal(["client-api-1", "client-api-2"], after.Except(processes).Select(process => process.Name).Order());
        Assert.Equal(0, (await Matrixctl("status", "--data", folder)).ExitCode);

        var down = await Matrixctl("down", "--data", folder, "--json");
        Assert.True(down.ExitCode == 0, down.Output);
        Assert.Equal("{\"done\":true,\"steps\":[\"Stopping…\",\"Stopped.\"]}", down.Output.Trim());
        Assert.All(processes.Concat(after), process => Assert.False(process.Process.IsAlive, $"{process.Name} is left"));
        Assert.NotEqual(0, (await Matrixctl("status", "--data", folder)).ExitCode);
    }

    async Task LogLevelsChangeWhileItRuns()
    {
        string[] Lines() => [.. new[] { "client-api-1", "client-api-2" }.SelectMany(name => File.ReadLines(Path.Combine(folder, "logs", name + ".log")))];
        var versions = new Uri($"http://127.0.0.1:{port}/_matrix/client/versions");
        await http.GetStringAsync(versions);
        Assert.DoesNotContain(Lines(), line => line.Contains("GET /_matrix/client/versions", StringComparison.Ordinal));

        var debug = await Matrixctl("log-level", "client-api", "Matrix.Hosting.Health", "debug", "--data", folder);
        Assert.True(debug.ExitCode == 0, debug.Output);
        await Eventually.True("the request is logged", async () =>
        {
            await http.GetStringAsync(versions);
            return Lines().Any(line => line.Contains("GET /_matrix/client/versions 200", StringComparison.Ordinal));
        });
        Assert.Equal("{\"client-api\":{\"Matrix.Hosting.Health\":\"debug\"}}", (await Matrixctl("log-level", "--json", "--data", folder)).Output.Trim());
        Assert.NotEqual(0, (await Matrixctl("log-level", "client-api", "Matrix.Hosting.Health", "loud", "--data", folder)).ExitCode);
        Assert.Equal("All log as configured.", (await Matrixctl("log-level", "client-api", "Matrix.Hosting.Health", "configured", "--data", folder)).Output.Trim());
    }

    /// <summary>From the gateway through the service, the commit in Postgres and the bus to the other replica.</summary>
    async Task OneSendIsOneTrace(TraceReceiver traces, string token)
    {
        const string Caller = "00f067aa0ba902b7";
        var trace = Guid.NewGuid().ToString("N");
        var room = (await Ask(HttpMethod.Post, "createRoom", null)).GetProperty("room_id").GetString()!;
        await Ask(HttpMethod.Put, $"rooms/{Uri.EscapeDataString(room)}/send/m.room.message/t1", $"00-{trace}-{Caller}-01");
        (string Service, string Source, string Name)[] hops =
        [
            ("gateway", "Microsoft.AspNetCore", "PUT"), ("gateway", "System.Net.Http", "PUT"), ("client-api", "Microsoft.AspNetCore", "PUT"), ("client-api", "Matrix.Replication", "log commit"),
            ("client-api", "Npgsql", ""), ("client-api", "Matrix.Replication", "log announce"), ("client-api", "MassTransit", "send"), ("client-api", "MassTransit", "receive"),
        ];
        IReadOnlyList<Span> spans = [];
        await Eventually.True("the trace is whole", () =>
        {
            spans = traces.Of(trace);
            return hops.All(hop => spans.Any(span => Fits(span, hop))) && spans.All(HasParent);
        }, () => string.Join('\n', spans));
        var commit = spans.Single(span => span.Name == "log commit");
        Assert.Contains(spans, span => span.Source == "Npgsql" && span.Parent == commit.Id);

        bool HasParent(Span span) => span.Parent == Caller || spans.Any(other => other.Id == span.Parent);

        static bool Fits(Span span, (string Service, string Source, string Name) hop) =>
            span.Service == hop.Service && span.Source.StartsWith(hop.Source, StringComparison.Ordinal) && span.Name.Contains(hop.Name, StringComparison.Ordinal);

        async Task<JsonElement> Ask(HttpMethod method, string path, string? parent)
        {
            using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{port}/_matrix/client/v3/{path}")) { Content = JsonContent.Create(new { body = "hello" }) };
            request.Headers.Authorization = new("Bearer", token);
            if (parent is not null) request.Headers.Add("traceparent", parent);
            using var answer = await http.SendAsync(request);
            return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>())!;
        }
    }

    /// <returns>The administrator's access token.</returns>
    async Task<string> AnAdministratorLooksAfterIt()
    {
        const string Password = "a password of the tests";
        var registered = await Matrixctl("register-user", "--data", folder, "--user", "root", "--password", Password, "--admin", "--json");
        Assert.Equal("{\"user_id\":\"@root:example.org\",\"admin\":true}", registered.Output.Trim());
        Assert.Equal(0, (await Matrixctl("register-user", "--data", folder, "--user", "alice", "--password", Password, "--no-admin")).ExitCode);
        using var login = await http.PostAsJsonAsync(new Uri($"http://127.0.0.1:{port}/_matrix/client/v3/login"),
            new { type = "m.login.password", identifier = new { type = "m.id.user", user = "root" }, password = Password });
        var token = (await login.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;

        var locked = await Matrixctl("user", "lock", "@alice:example.org", "--data", folder, "--token", token);
        Assert.True(locked.ExitCode == 0, locked.Output);
        Assert.Contains("locked: true", locked.Output, StringComparison.Ordinal);
        var destinations = await Matrixctl("federation", "list", "--data", folder, "--token", token, "--json");
        Assert.StartsWith("{\"destinations\":[]", destinations.Output, StringComparison.Ordinal);
        var unknown = await Matrixctl("media", "show", "mxc://example.org/nothing", "--data", folder, "--token", token);
        Assert.Equal(1, unknown.ExitCode);
        Assert.StartsWith("404: ", unknown.Output, StringComparison.Ordinal);
        return token;
    }

    [Fact]
    public async Task Whoever_is_killed_is_started_again_and_what_a_killed_supervisor_left_is_stopped()
    {
        var up = await Up();
        Assert.True(up.ExitCode == 0, up.Output);
        var first = ServerState.Processes(folder).ToDictionary(process => process.Name, process => process.Process);

        first["client-api"].Kill();
        first["redis"].Kill();
        await Eventually.True("all run again", async () => (await Matrixctl("status", "--data", folder)).ExitCode == 0, patience: Limit);

        var second = ServerState.Processes(folder).ToDictionary(process => process.Name, process => process.Process);
        Assert.NotEqual(first["client-api"], second["client-api"]);
        Assert.NotEqual(first["redis"], second["redis"]);
        Assert.Equal(first["gateway"], second["gateway"]);

        second["supervisor"].Kill();
        await second["supervisor"].Exited(Limit, default);
        Assert.True(second["gateway"].IsAlive);
        var again = await Up();
        Assert.True(again.ExitCode == 0, again.Output);
        Assert.All(second.Values, process => Assert.False(process.IsAlive));
    }

    [Fact]
    public async Task An_interrupted_server_in_the_foreground_stops_everything_and_a_second_start_has_the_same_configuration()
    {
        for (var start = 0; start < 2; start++)
        {
            using var server = Start("up", "--data", folder, "--port", $"{port}", "--all-in-one");
            await Eventually.True("it runs", () => server.HasExited || ServerState.Find(folder) is { IsRunning: true }, patience: Limit);
            var processes = ServerState.Processes(folder).ToList();
            Assert.Equal(["all-in-one", "postgres"], processes.Select(process => process.Name));
            Assert.True((await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"))).IsSuccessStatusCode);

            ProcessIdentity.Find(server.Id)!.Value.Interrupt();
            await server.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);

            Assert.Equal(0, server.ExitCode);
            Assert.All(processes, process => Assert.False(process.Process.IsAlive, $"{process.Name} is left"));
        }
        var other = await Matrixctl("up", "--data", folder, "--port", $"{port}", "--all-in-one", "--server-name", "other.org");
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("belongs to localhost", other.Output, StringComparison.Ordinal);
    }

    Task<(int ExitCode, string Output)> Up() => Matrixctl("up", "--detach", "--data", folder, "--port", $"{port}");

    static Task<(int ExitCode, string Output)> Matrixctl(params string[] arguments) => Tool.Matrixctl(arguments);

    static Process Start(params string[] arguments) => Tool.Start(arguments);
}
