using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Sender;
using Matrix.LocalStack;
using Matrix.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Federation.Tests.Joins;

/// <summary>
/// A process is killed with -9 in the middle of a big join, and another one on the same database goes on: nothing is lost, nothing is twice, and the room is
/// there within 10 s. MATRIX_TEST_JOINS=long, since each kill needs a process of its own.
/// </summary>
public sealed class KilledJoinTests(FederatedServers servers, ITestOutputHelper output)
{
    const int Members = 2000;

    static readonly bool IsLong = Environment.GetEnvironmentVariable("MATRIX_TEST_JOINS") == "long";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("send_join", 0)]
    [InlineData("state", 0), InlineData("state", 50), InlineData("state", 100), InlineData("state", 200), InlineData("state", 400)]
    public async Task A_join_goes_on_where_a_process_was_killed(string during, int afterMilliseconds)
    {
        Assert.SkipUnless(IsLong, "MATRIX_TEST_JOINS is not long");
        await using var home = await LastingHome.Create(servers);
        Dictionary<string, string?> configuration = [];
        await using var survivor = await home.Start(found =>
        {
            PartialJoinTests.Server.Configure(found);
            // a whole join, where that is to be killed
            found["partial_joins:enabled"] = during == "state" ? "true" : "false";
            configuration = found;
        });
        var bob = await survivor.NewUser();
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V10);
        for (var i = 1; i <= Members; i++)
            room.Add("m.room.member", remote.User($"member{i}").ToString(), new { membership = "join" }, remote.User($"member{i}"));
        await using var child = await ChildProcess.Start(configuration);
        var half = child.KilledAfter(afterMilliseconds);
        room.ServeWithoutMembers(async whole => during == "state" ? await half(whole) : whole);
        if (during == "send_join")
            ServeWholeSlowly(remote, room, half);

        var joining = child.Here(bob).Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={Abroad.Esc(remote.Name.ToString())}");
        await child.Ended;
        var began = TimeProvider.System.GetTimestamp();
        if (during == "send_join" || !await Answered(joining))
            (await bob.Post($"/_matrix/client/v3/join/{Abroad.Esc(room.Id)}?via={Abroad.Esc(remote.Name.ToString())}")).Ok();
        var said = (await bob.Say(room.Id, "still here")).EventId;
        var members = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/joined_members")).Ok()["joined"].EnumerateObject().Count();
        var took = TimeProvider.System.GetElapsedTime(began);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"whole {took.TotalSeconds:F1} s after the kill"));
        Assert.Equal(Members + 2, members);
        Assert.True(took < TimeSpan.FromSeconds(10), $"It took {took}.");
        await PartialJoinTests.IsConsistent(survivor, room, said);
        Assert.Equal(0L, await Count(survivor, "SELECT count(*) FROM partial_rooms"));
        Assert.Equal(0L, await Count(survivor, "SELECT count(*) FROM auth_backlog"));
        Assert.Equal(0L, await Count(survivor, "SELECT count(*) FROM (SELECT user_id FROM memberships GROUP BY room_nid, user_id HAVING count(*) > 1) x"));
    }

    static void ServeWholeSlowly(RemoteServer remote, RemoteRoom room, Func<JsonObject, Task<object?>> half) =>
        remote.On(HttpMethod.Put, "/_matrix/federation/v2/send_join/", async (request, context) =>
        {
            var whole = room.WholeState();
            var answer = new JsonObject { ["auth_chain"] = whole["auth_chain"]!.DeepClone(), ["state"] = whole["pdus"]!.DeepClone() };
            room.Take(Pdu.Parse(request.Body, room.Rules));
            return await half(answer);
        });

    internal static async Task<bool> Answered(Task<Reply> joining)
    {
        try
        {
            return (int)(await joining).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    internal static async Task<long> Count(MatrixServer server, string sql)
    {
        await using var command = server.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>The all-in-one as a process of its own, to be killed.</summary>
    sealed class ChildProcess : IAsyncDisposable
    {
        readonly Process _process;
        readonly string _file;
        readonly HttpClient _http;
        readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int _kills;

        ChildProcess(Process process, string file, int port) =>
            (_process, _file, _http) = (process, file, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) });

        public Task Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(60), Ct);

        public static async Task<ChildProcess> Start(IReadOnlyDictionary<string, string?> configuration)
        {
            var (port, tls, file) = (FreePort.Find(), FreePort.Find(), Path.GetTempFileName());
            var own = new Dictionary<string, string?>(configuration) { ["listen"] = $"http://127.0.0.1:{port}", ["tls_listen"] = $"https://127.0.0.1:{tls}" };
            await File.WriteAllLinesAsync(file, own.Where(key => key.Value != null).Select(key => $"\"{key.Key}\": {JsonSerializer.Serialize(key.Value)}"), Ct);
            var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Matrix.AllInOne/release/Matrix.AllInOne.dll"));
            var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--config-path", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var child = new ChildProcess(process, file, port);
            for (var waited = TimeProvider.System.GetTimestamp(); !await child.Serves(); await Task.Delay(100, Ct))
                Assert.True(!process.HasExited && TimeProvider.System.GetElapsedTime(waited) < TimeSpan.FromSeconds(60), "The process does not serve.");
            return child;
        }

        public User Here(User user) => new(_http, user.UserId, user.DeviceId, user.AccessToken!, user.Password);

        /// <summary>Of the first answer gives half, or all and then some time, before it kills the process; later answers are whole.</summary>
        public Func<JsonObject, Task<object?>> KilledAfter(int milliseconds) => async whole =>
        {
            var bytes = Encoding.UTF8.GetBytes(whole.ToJsonString());
            if (Interlocked.Increment(ref _kills) > 1)
                return bytes;
            if (milliseconds > 0)
            {
                _ = Task.Delay(milliseconds, Ct).ContinueWith(_ => Kill(), TaskScheduler.Default);
                return bytes;
            }
            return new HalfAnswer(bytes, Kill);
        };

        public async ValueTask DisposeAsync()
        {
            Kill();
            await _process.WaitForExitAsync(Ct);
            _process.Dispose();
            _http.Dispose();
            File.Delete(_file);
        }

        void Kill()
        {
            if (!_process.HasExited)
                _process.Kill();
            _process.WaitForExit();
            _ended.TrySetResult();
        }

        async Task<bool> Serves()
        {
            try
            {
                using var answer = await _http.GetAsync(new Uri("/_matrix/client/versions", UriKind.Relative), Ct);
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }
}
