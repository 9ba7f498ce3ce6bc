using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Matrix.LocalStack;
using Matrix.Testing;

namespace Matrix.EndToEnd.Tests;

/// <summary>One process of a server, as its data folder records it.</summary>
public sealed record ServerProcess(string Name, int Pid, string? Address);

/// <summary>A homeserver that <c>matrixctl up</c> started in a data folder of its own, with private Postgres, RabbitMQ and Redis.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    static readonly string[] s_parts = ["postgres", "rabbitmq", "redis", "epmd"];
    static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(10) };
    readonly string[] _options;

    readonly IReadOnlyDictionary<string, string> _environment;

    RunningServer(string dataFolder, int port, string name, IReadOnlyDictionary<string, string> environment, string[] options) =>
        (DataFolder, Url, Name, _environment, _options) = (dataFolder, new Uri($"http://127.0.0.1:{port}"), name, environment, options);

    /// <summary>What stands behind the colon of its users' ids.</summary>
    public string Name { get; }

    public string DataFolder { get; }

    public Uri Url { get; }

    /// <summary>The build that it runs; this one unless said otherwise.</summary>
    public string Program { get; init; } = Build.Matrixctl;

    /// <summary>How long the last start took, from the command to its return.</summary>
    public TimeSpan StartTime { get; private set; }

    public static Task<RunningServer> Start(params string[] options) => Start("e2e.example", new Dictionary<string, string>(), options);

    /// <param name="environment">Values of its configuration: <c>MATRIX__key__subkey</c>.</param>
    public static Task<RunningServer> Start(string name, IReadOnlyDictionary<string, string> environment, params string[] options) =>
        Start(Build.Matrixctl, name, environment, options);

    /// <param name="program">matrixctl of the build that is to run.</param>
    /// <inheritdoc cref="Start(string, IReadOnlyDictionary{string, string}, string[])" path="/param"/>
    public static async Task<RunningServer> Start(string program, string name, IReadOnlyDictionary<string, string> environment, string[] options)
    {
        var server = new RunningServer(Directory.CreateTempSubdirectory("matrix-e2e-").FullName, FreePort.Find(), name, environment, options) { Program = program };
        try
        {
            await server.Up();
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
        return server;
    }

    public async Task Up()
    {
        var started = TimeProvider.System.GetTimestamp();
        await Matrixctl([
            "up", "--detach", "--port", Url.Port.ToString(CultureInfo.InvariantCulture), "--server-name", Name, "--open-registration", .. _options
        ]);
        StartTime = TimeProvider.System.GetElapsedTime(started);
    }

    public Task Down() => Matrixctl(["down"]);

    /// <summary>Runs a command of matrixctl on this server's data folder; fails unless it ends well.</summary>
    public Task<string> Matrixctl(IReadOnlyList<string> arguments) => Run("dotnet", [Program, .. arguments, "--data", DataFolder], start =>
    {
        LiftLimits(start);
        foreach (var (key, value) in _environment)
            start.Environment[key] = value;
    });

    // these tests are faster than people type, all from one address, and have many accounts with one password
    static void LiftLimits(ProcessStartInfo start)
    {
        foreach (var kind in new[] { "rc_message", "rc_registration", "rc_registration_token_validity", "rc_login__address", "rc_login__account",
            "rc_login__failed_attempts", "rc_joins__local", "rc_joins__remote", "rc_invites__per_room", "rc_invites__per_user", "rc_invites__per_issuer", "rc_reports", "rc_delayed_event_mgmt", "rc_rendezvous" })
        {
            start.Environment[$"MATRIX__{kind}__per_second"] = "10000";
            start.Environment[$"MATRIX__{kind}__burst_count"] = "10000";
        }
        start.Environment["MATRIX__bcrypt_rounds"] = "4";
        // a machine that is busy with other tests is not overloaded by this one
        start.Environment["MATRIX__overload__always_admitted"] = "2000";
        start.Environment["MATRIX__allow_guest_access"] = "true";
        // where the tests' push gateways are
        start.Environment["MATRIX__ip_range_whitelist"] = "127.0.0.0/8";
        start.Environment["MATRIX__push__allow_insecure_gateways"] = "true";
    }

    /// <summary>Its private Postgres.</summary>
    public Npgsql.NpgsqlDataSource OpenDatabase()
    {
        using var stack = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataFolder, "stack.json")));
        var postgres = new StackEndpoint(IPEndPoint.Parse(Process("postgres").Address!).Port, "matrix", stack.RootElement.GetProperty("password").GetString()!);
        return Npgsql.NpgsqlDataSource.Create(postgres.PostgresConnection());
    }

    /// <summary>A value of its homeserver.yaml.</summary>
    public string Configured(string key) =>
        File.ReadLines(Path.Combine(DataFolder, "homeserver.yaml")).First(line => line.StartsWith($"{key}:", StringComparison.Ordinal))[(key.Length + 1)..].Trim(' ', '"');

    /// <summary>The processes that run now, services and private parts.</summary>
    public IReadOnlyList<ServerProcess> Processes() =>
        [.. Directory.GetFiles(Path.Combine(DataFolder, "run"), "*.json").Order().Where(file => Path.GetFileName(file) != "server.json").Select(Read)];

    /// <summary>The .NET processes: services, gateway, and the supervisor that looks after them.</summary>
    public IReadOnlyList<ServerProcess> DotnetProcesses() => [.. Processes().Where(process => !s_parts.Contains(process.Name))];

    public ServerProcess Process(string name) => Processes().Single(process => process.Name == name);

    /// <summary>kill -9, so that the process can do nothing about it.</summary>
    public ServerProcess Kill(string name)
    {
        var process = Process(name);
        using var victim = System.Diagnostics.Process.GetProcessById(process.Pid);
        victim.Kill(entireProcessTree: false);
        return process;
    }

    /// <summary>Asks a part to stop at once, as a restart by its own service would.</summary>
    public async Task<ServerProcess> Interrupt(string name)
    {
        var process = Process(name);
        await Run("kill", ["-INT", process.Pid.ToString(CultureInfo.InvariantCulture)]);
        return process;
    }

    /// <summary>Waits until another process has taken this part's place.</summary>
    public async Task WaitReplacedPart(ServerProcess stopped) => await Eventually.True($"{stopped.Name} runs again", () =>
        Processes().FirstOrDefault(process => process.Name == stopped.Name) is { } now && now.Pid != stopped.Pid);

    /// <summary>Waits until another process has taken this one's place and answers.</summary>
    public async Task WaitReplaced(ServerProcess killed) => await Eventually.True($"{killed.Name} runs again", async () =>
        Processes().FirstOrDefault(process => process.Name == killed.Name) is { Address: { } address } now && now.Pid != killed.Pid && await IsReady(address));

    /// <summary>The client-api replica that the gateway gives this token's requests to.</summary>
    public async Task<string> ReplicaOf(string accessToken)
    {
        var replicas = Processes().Where(process => process.Name.StartsWith("client-api", StringComparison.Ordinal)).ToList();
        var before = await Task.WhenAll(replicas.Select(WhoamiRequests));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, "/_matrix/client/v3/account/whoami"));
        request.Headers.Authorization = new("Bearer", accessToken);
        (await s_http.SendAsync(request, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        string? found = null;
        await Eventually.True("one replica counted the request", async () =>
        {
            var after = await Task.WhenAll(replicas.Select(WhoamiRequests));
            found = replicas.Where((_, i) => after[i] > before[i]).Select(process => process.Name).SingleOrDefault();
            return found != null;
        });
        return found!;
    }

    /// <summary>What these processes take of the machine's memory together, in MiB, once it has stopped growing.</summary>
    public static async Task<long> SettledMemory(IReadOnlyList<ServerProcess> processes)
    {
        long last = 0, now = 0;
        await Eventually.True("memory settles", () =>
        {
            (last, now) = (now, ProcessMemory.Together(processes.Select(process => process.Pid)));
            return last > 0 && Math.Abs(now - last) <= 1;
        }, pause: TimeSpan.FromSeconds(3));
        return now;
    }

    public async ValueTask DisposeAsync()
    {
        await Down();
        Directory.Delete(DataFolder, recursive: true);
    }

    public static async Task<string> Run(string program, IReadOnlyList<string> arguments, Action<ProcessStartInfo>? configure = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        configure?.Invoke(start);
        using var process = System.Diagnostics.Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit {process.ExitCode}\n{output}\n{await error}");
        return output;
    }

    static async Task<double> WhoamiRequests(ServerProcess replica)
    {
        var metrics = await s_http.GetStringAsync(new Uri(replica.Address + "/metrics"), TestContext.Current.CancellationToken);
        return metrics.Split('\n')
            .Where(line => line.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal) && line.Contains("/account/whoami\"", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    static async Task<bool> IsReady(string address)
    {
        try
        {
            using var response = await s_http.GetAsync(new Uri(address + "/health/ready"), TestContext.Current.CancellationToken);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static ServerProcess Read(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var root = json.RootElement;
        return new ServerProcess(
            root.GetProperty("name").GetString()!, root.GetProperty("process").GetProperty("pid").GetInt32(), root.TryGetProperty("address", out var address) ? address.GetString() : null);
    }
}

/// <summary>The split stack that most tests share: two replicas of client-api behind the gateway, one process of every other service.</summary>
public sealed class SplitStack : IAsyncLifetime
{
    static int s_users;

    public RunningServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await RunningServer.Start("--replicas", "client-api=2");

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();

    public static string NewName(string person) => $"{person}{Interlocked.Increment(ref s_users)}";

    public Task<ChatClient> NewClient(string library, string person) => NewClient(Server, library, person);

    /// <summary>Two people in a private room: the first made it and invited the second, who has joined.</summary>
    public async Task<Chat> NewChat(string firstLibrary, string secondLibrary, bool onDifferentReplicas = false)
    {
        var alice = await NewClient(firstLibrary, "alice");
        var bob = await NewClient(secondLibrary, "bob");
        while (onDifferentReplicas && await Server.ReplicaOf(alice.AccessToken) == await Server.ReplicaOf(bob.AccessToken))
        {
            await bob.DisposeAsync();
            bob = await NewClient(secondLibrary, "bob");
        }
        return await Chat.Begin(alice, bob);
    }

    public static Task<ChatClient> NewClient(RunningServer server, string library, string person) =>
        ChatClient.Register(library, server.Url, NewName(person), "correct horse battery staple");
}

/// <summary>Two people and the room that they talk in.</summary>
public sealed record Chat(ChatClient Alice, ChatClient Bob, string Room) : IAsyncDisposable
{
    public IReadOnlyList<ChatClient> Both => [Alice, Bob];

    public static async Task<Chat> Begin(ChatClient alice, ChatClient bob)
    {
        var room = await alice.CreateRoom(new { preset = "private_chat", name = "Talk" });
        await alice.Invite(room, bob.UserId);
        await bob.WaitMembership(room, bob.UserId, "invite");
        await bob.Join(room);
        await alice.WaitMembership(room, bob.UserId, "join");
        await bob.WaitMembership(room, bob.UserId, "join");
        return new Chat(alice, bob, room);
    }

    public async ValueTask DisposeAsync()
    {
        await Alice.DisposeAsync();
        await Bob.DisposeAsync();
    }

    /// <summary>Everyone says something and everyone sees it.</summary>
    public async Task SayAndHear(string body, int timeout = ChatClient.Patience)
    {
        foreach (var speaker in Both)
        {
            var text = $"{body} says {speaker.UserId}";
            await speaker.SendUntilAcknowledged(Room, text);
            await Task.WhenAll(Both.Select(listener => listener.WaitMessage(Room, text, timeout)));
        }
    }
}

/// <summary>All tests but those of the HTTP API share it and run one after the other: they kill each other's services and measure times.</summary>
[CollectionDefinition("end to end")]
public sealed class EndToEndTests : ICollectionFixture<SplitStack>, ICollectionFixture<Federation.FederatedHomes>;
