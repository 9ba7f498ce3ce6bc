using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Matrix.Federation.Tests.Harness;
using Matrix.LocalStack;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Federation.Tests.Sender;

/// <summary>
/// What a message to many servers costs, and what the dead among them do. Run by name with <c>--explicit only</c>; MATRIX_TEST_FANOUT says how many,
/// MATRIX_TEST_FANOUT_DEAD how many of a hundred are dead: half of them refuse the connection, the others accept it and say nothing. Those that live are another process
/// (<c>matrix-load many-servers</c>), so 10,000 need 10,000 open files here and as many there, and the processor time of each side is known.
/// </summary>
public sealed class FanOutTests(FederatedServers servers)
{
    const int Messages = 5;

    [Fact(Explicit = true)]
    public async Task One_message_to_a_thousand_servers()
    {
        var (all, percent) = (Number("MATRIX_TEST_FANOUT", 1000), Number("MATRIX_TEST_FANOUT_DEAD", 0));
        var count = all - all * percent / 100;
        var (port, closed) = (FreePort.Find(), FreePort.Find());
        string[] hosts = [.. Enumerable.Range(0, all).Select(i => string.Create(CultureInfo.InvariantCulture, $"127.1.{i / 250}.{(i % 250) + 1}"))];
        using var silent = new TcpListener(IPAddress.Any, 0);
        silent.Start(); // what nobody accepts is connected all the same
        var mute = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using var others = await ManyServersProcess.Start(servers.Authority, hosts, port);
        await using var server = await servers.Start();
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        foreach (var (i, host) in hosts.Index())
        {
            var at = i % 100 >= percent ? port : i / 100 % 2 == 0 ? closed : mute;
            await Join(server, room, UserId.Parse(string.Create(CultureInfo.InvariantCulture, $"@bob:{host}:{at}")));
        }
        Write(string.Create(CultureInfo.InvariantCulture, $"{all} servers joined, of which {all - count} are dead"));
        await Measure("the first message, which connects", () => Say("warm"));
        for (var i = 0; i < Messages; i++)
            await Measure("a message", () => Say($"{i}"));
        await Measure("nothing for 20 s", () => Task.Delay(20_000, TestContext.Current.CancellationToken));
        for (var i = 0; i < Messages; i++)
            await Measure("a message", () => Say($"again {i}"));

        async Task Measure(string what, Func<Task> work)
        {
            using var statements = new Statements(server.Services.GetRequiredService<NpgsqlDataSource>());
            var (_, theirs) = await others.Count();
            var (began, cpu) = (TimeProvider.System.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
            await work();
            var (took, spent) = (TimeProvider.System.GetElapsedTime(began), Process.GetCurrentProcess().TotalProcessorTime - cpu);
            theirs = (await others.Count()).Cpu - theirs;
            var rows = await statements.Rows();
            Write(string.Create(CultureInfo.InvariantCulture, $"{what}: {took.TotalMilliseconds:F0} ms until all who live have it, {spent.TotalMilliseconds:F0} ms of CPU"
                + $" ({spent.TotalMilliseconds / count:F3} for each of them), {theirs} on the receiving side; {statements.Count} statements; {rows}"));
        }

        async Task Say(string body)
        {
            var (before, _) = await others.Count();
            var began = TimeProvider.System.GetTimestamp();
            await alice.Say(room, body);
            while (await others.Count() is var (received, _) && received - before < count)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(3), $"Only {received - before} have it.");
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    static void Write(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    static async Task Join(MatrixServer server, string roomId, UserId user)
    {
        var services = server.Services;
        var room = await services.GetRequiredService<RoomFinder>().Get(RoomId.Parse(roomId), default);
        var head = (await services.GetRequiredService<RoomStore>().FindHead(room.RoomNid, default))!;
        var content = """{"membership":"join"}"""u8.ToArray();
        var cited = new List<Protocol.EventId>();
        foreach (var key in AuthEvents.KeysFor(EventTypes.Member, user.ToString(), user, System.Text.Json.JsonElement.Parse(content), room.Rules))
        {
            if (await services.GetRequiredService<RoomState>().Get(head.StateRoot, key.Type, key.StateKey, default) is { } pdu)
                cited.Add(pdu.EventId);
        }
        using var signing = SigningKey.Generate("f");
        var join = new PduBuilder
        {
            Type = EventTypes.Member, StateKey = user.ToString(), Sender = user, RoomId = room.RoomId, Content = content,
            PrevEvents = [.. head.Extremities.Select(e => e.EventId)], AuthEvents = cited, Depth = head.Depth + 1, OriginServerTs = 1_700_000_000_000,
        }.Build(room.Rules, user.Server, signing);
        Assert.Equal(Reception.Accepted, (await services.GetRequiredService<RoomReceiver>().Receive(room, join, null, default)).Reception);
    }

    /// <summary>The statements that one server sends, and the rows that say that other servers fail.</summary>
    sealed class Statements : IDisposable
    {
        readonly NpgsqlDataSource database;
        readonly ActivityListener listener;
        int count;

        public Statements(NpgsqlDataSource database)
        {
            this.database = database;
            var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
            listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Npgsql",
                Sample = (ref _) => ActivitySamplingResult.AllData,
                ActivityStopped = activity =>
                {
                    if (activity.TagObjects.Any(tag => tag.Value as string == name))
                        Interlocked.Increment(ref count);
                },
            };
            ActivitySource.AddActivityListener(listener);
        }

        public int Count => Volatile.Read(ref count);

        public async Task<string> Rows()
        {
            await using var command = database.CreateCommand(
                """
                SELECT (SELECT count(*) FROM federation_destinations) || ' rows of destinations, ' || (SELECT count(*) FROM destination_retries) || ' of retries'
                """);
            return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }

        public void Dispose() => listener.Dispose();
    }
}
