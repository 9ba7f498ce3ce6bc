using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Matrix.Federation.Tests.Sender;

/// <summary>
/// What a message to many servers costs. Run by name with <c>--explicit only</c>; MATRIX_TEST_FANOUT says how many, MATRIX_TEST_FANOUT_DEAD how many of a hundred
/// are dead: half of them refuse the connection, the others accept it and say nothing.
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
        var received = 0;
        using var silent = new TcpListener(IPAddress.Any, 0);
        silent.Start(); // what nobody accepts is connected all the same
        var mute = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using var others = Listen(servers.Authority, hosts, port, () => Interlocked.Increment(ref received));
        await others.StartAsync(TestContext.Current.CancellationToken);
        await using var server = await servers.Start();
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        foreach (var (i, host) in hosts.Index())
        {
            var at = i % 100 >= percent ? port : i / 100 % 2 == 0 ? closed : mute;
            await Join(server, room, UserId.Parse(string.Create(CultureInfo.InvariantCulture, $"@bob:{host}:{at}")));
        }
        await Say("warm");
        for (var i = 0; i < Messages; i++)
        {
            var cpu = Process.GetCurrentProcess().TotalProcessorTime;
            var took = await Say($"{i}");
            var spent = Process.GetCurrentProcess().TotalProcessorTime - cpu;
            TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{count} destinations: {took.TotalMilliseconds:F0} ms until all have it, {spent.TotalMilliseconds:F0} ms of CPU with what the receiving side takes"));
        }

        async Task<TimeSpan> Say(string body)
        {
            Volatile.Write(ref received, 0);
            var began = TimeProvider.System.GetTimestamp();
            await alice.Say(room, body);
            while (Volatile.Read(ref received) < count)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(2), $"Only {received} have it.");
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }
            return TimeProvider.System.GetElapsedTime(began);
        }
    }

    static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    static WebApplication Listen(CertificateAuthority authority, string[] hosts, int port, Action received)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Any, port, listen => listen.UseHttps(authority.Issue(hosts))));
        var app = builder.Build();
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            if (context.Request.Path.StartsWithSegments("/_matrix/federation/v1/send", StringComparison.Ordinal))
                received();
            await context.Response.Body.WriteAsync("{\"pdus\":{}}"u8.ToArray());
        });
        return app;
    }

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
}
