using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Sender;
using Matrix.LocalStack;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>
/// One of two replicas of client-api, on the split stack as matrixctl starts it, is killed with -9 in the middle of a join of a room of 5,000 members: the other one makes the
/// room whole within 10 s of the kill, nothing is lost and nothing is twice. MATRIX_TEST_JOINS=long, on a quiet machine; MATRIX_TEST_JOIN_MEMBERS=N makes other rooms.
/// </summary>
public sealed class KilledReplicaTests(FederatedServers servers, ITestOutputHelper output)
{
    static readonly int Members = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_JOIN_MEMBERS"), CultureInfo.InvariantCulture, out var count) ? count : 5000;

    TimeSpan longest;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_other_replica_goes_on_where_one_was_killed()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MATRIX_TEST_JOINS") == "long", "MATRIX_TEST_JOINS is not long");
        await using var home = await LastingHome.Create(servers);
        Dictionary<string, string?> configuration = [];
        await using (await home.Start(found => configuration = found))
        {
            // it has named the home
        }
        var rooms = new List<(RemoteRoom Room, string Said)>();
        await using var remote = await servers.NewRemote();
        await using (var stack = await Stack.Start(configuration))
        {
            var bob = await stack.NewUser();
            foreach (var (i, (during, after)) in new[] { ("send_join", 0), ("state", 0), ("state", 100), ("state", 300), ("state", 600) }.Index())
                rooms.Add(await Kill(stack, remote, bob, $"client-api-{1 + i % 2}", during, after));
        }
        await using var auditor = await home.Start();
        foreach (var (room, said) in rooms)
            await PartialJoinTests.IsConsistent(auditor, room, said);
        foreach (var leftover in new[] { "partial_rooms", "auth_backlog", "(SELECT FROM memberships GROUP BY room_nid, user_id HAVING count(*) > 1) x" })
            Assert.Equal(0L, await KilledJoinTests.Count(auditor, $"SELECT count(*) FROM {leftover}"));
        Assert.True(longest < TimeSpan.FromSeconds(10), $"It took {longest}.");
    }

    async Task<(RemoteRoom Room, string Said)> Kill(Stack stack, RemoteServer remote, User bob, string victim, string during, int afterMilliseconds)
    {
        var room = new RemoteRoom(remote, RoomVersions.V10);
        for (var i = 1; i <= Members; i++)
            room.Add("m.room.member", remote.User($"member{i}").ToString(), new { membership = "join" }, remote.User($"member{i}"));
        var (died, kills) = (new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously), 0);
        object? Once(JsonObject whole, bool isMeant)
        {
            var bytes = Encoding.UTF8.GetBytes(whole.ToJsonString());
            if (!isMeant || Interlocked.Increment(ref kills) > 1)
                return bytes;
            if (afterMilliseconds == 0)
                return new HalfAnswer(bytes, Die);
            _ = Task.Delay(afterMilliseconds, Ct).ContinueWith(_ => Die(), TaskScheduler.Default);
            return bytes;
        }
        void Die()
        {
            stack.Kill(victim);
            died.TrySetResult(TimeProvider.System.GetTimestamp());
        }
        room.ServeWithoutMembers(whole => Task.FromResult(Once(whole, during == "state")), answer => Once(answer, during == "send_join"));
        var join = $"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={Abroad.Esc(remote.Name.ToString())}";

        var joining = stack.At(victim, bob).Post(join);
        var began = await died.Task.WaitAsync(TimeSpan.FromMinutes(1), Ct);
        var isAnswered = await KilledJoinTests.Answered(joining);
        // a client whose request broke off repeats it, and is not in the room twice
        if (!isAnswered)
            (await bob.Post(join)).Ok();
        var said = (await bob.Say(room.Id, "still here")).EventId;
        var spoke = TimeProvider.System.GetElapsedTime(began);
        var members = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"].EnumerateObject().Count();
        var took = TimeProvider.System.GetElapsedTime(began);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{victim} killed in {during} + {afterMilliseconds} ms, join {(isAnswered ? "answered" : "repeated")}: spoke after {spoke.TotalSeconds:F1} s, whole after {took.TotalSeconds:F1} s"));
        Assert.Equal(Members + 2, members);
        longest = took > longest ? took : longest;
        var page = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/messages?dir=b&limit=20")).Ok()["chunk"].Items();
        Assert.Single(page, e => e.String("event_id") == said);
        await stack.Replaced(victim);
        return (room, said);
    }

    /// <summary>The services as processes of their own, on the database of a <see cref="LastingHome"/>, with a bus and a cache of their own.</summary>
    sealed class Stack : IAsyncDisposable
    {
        static readonly string s_matrixctl = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Matrix.Ctl/release/matrixctl.dll"));

        readonly string folder = Directory.CreateTempSubdirectory("matrix-joins-").FullName;
        readonly Dictionary<string, string> environment = [];
        readonly Dictionary<string, HttpClient> clients = [];
        readonly Dictionary<string, int> killed = [];
        int users;

        public static async Task<Stack> Start(Dictionary<string, string?> configuration)
        {
            var stack = new Stack();
            foreach (var (key, value) in configuration)
            {
                if (value is not null && key is not ("tls_listen" or "listen") && !key.StartsWith("rabbitmq", StringComparison.Ordinal) && !key.StartsWith("redis", StringComparison.Ordinal))
                    stack.environment["MATRIX__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
            }
            var name = configuration["server_name"]!;
            await stack.Run(["up", "--detach", "--port", FreePort.Find().ToString(CultureInfo.InvariantCulture), "--tls-port", name.Split(':')[1],
                "--server-name", name, "--open-registration", "--replicas", "client-api=2"]);
            return stack;
        }

        public async Task<User> NewUser()
        {
            var reply = (await new ApiClient(Client("gateway")).Post("/_matrix/client/v3/register",
                new { username = $"bob{++users}", password = "correct horse battery", auth = new { type = "m.login.dummy" } })).Ok();
            return new User(Client("gateway"), reply.String("user_id"), reply.String("device_id"), reply.String("access_token"));
        }

        /// <summary>The user's requests at this very process.</summary>
        public User At(string process, User user) => new(Client(process), user.UserId, user.DeviceId, user.AccessToken!);

        public void Kill(string name)
        {
            killed[name] = Find(name).Pid;
            using var process = Process.GetProcessById(killed[name]);
            process.Kill(entireProcessTree: false);
            process.WaitForExit();
        }

        /// <summary>Waits until another process has taken its place and answers.</summary>
        public async Task Replaced(string name)
        {
            for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(100, Ct))
            {
                Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(1), $"{name} does not come back.");
                try
                {
                    if (Find(name).Pid != killed[name] && (await Client(name).GetAsync(new Uri("/health/ready", UriKind.Relative), Ct)).IsSuccessStatusCode)
                        return;
                }
                catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
                {
                    // not yet
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Run(["down"]);
            foreach (var client in clients.Values)
                client.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        HttpClient Client(string process)
        {
            var address = Find(process).Address;
            return clients.TryGetValue(address, out var known) ? known : clients[address] = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
        }

        (int Pid, string Address) Find(string name)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "run", $"{name}.json")));
            return (json.RootElement.GetProperty("process").GetProperty("pid").GetInt32(), json.RootElement.GetProperty("address").GetString()!);
        }

        async Task Run(string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet", [s_matrixctl, .. arguments, "--data", folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var (key, value) in environment)
                start.Environment[key] = value;
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var said = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {said}{await error}");
        }
    }
}
