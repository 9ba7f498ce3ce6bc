using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Sender;

/// <summary>A scripted server that is in rooms of one of ours, and what it was sent: in order of arrival, and only what it took.</summary>
sealed class RemoteInbox
{
    readonly Lock gate = new();
    readonly List<JsonElement> pdus = [];
    readonly List<JsonElement> edus = [];
    readonly List<JsonElement> transactions = [];
    readonly Channel<bool> arrived = Channel.CreateUnbounded<bool>();

    public RemoteInbox(RemoteServer remote)
    {
        Remote = remote;
        remote.On(HttpMethod.Put, "/_matrix/federation/v1/send/", async (request, context) =>
        {
            await Hold(context.RequestAborted);
            if (Instead is not null && await Instead(context) is { } instead)
                return instead;
            if (IsDown)
                return RemoteAnswer.Error(HttpStatusCode.ServiceUnavailable, "M_UNKNOWN");
            if (Bears?.Invoke(request.Json) == false)
                return RemoteAnswer.Error(HttpStatusCode.BadRequest, "M_BAD_JSON");
            lock (gate)
            {
                transactions.Add(request.Json);
                pdus.AddRange(request.Json.At("pdus").Items());
                edus.AddRange(request.Json.At("edus").Items());
            }
            arrived.Writer.TryWrite(true);
            return new { pdus = new { } };
        });
    }

    public RemoteServer Remote { get; }

    /// <summary>It refuses everything for now.</summary>
    public bool IsDown { get; set; }

    /// <summary>What it answers instead of taking a transaction; null: it takes it.</summary>
    public Func<HttpContext, Task<object?>>? Instead { get; set; }

    /// <summary>Whether it does not refuse a transaction for what is in it; null: it never does.</summary>
    public Func<JsonElement, bool>? Bears { get; set; }

    /// <summary>It answers no sooner than this allows.</summary>
    public Func<CancellationToken, Task> Hold { get; set; } = _ => Task.CompletedTask;

    /// <summary>The bodies of the messages that came, in order.</summary>
    public IReadOnlyList<string> Bodies => [.. Pdus.Where(pdu => pdu.String("type") == "m.room.message").Select(pdu => pdu.String("content.body"))];

    public IReadOnlyList<JsonElement> Pdus
    {
        get
        {
            lock (gate)
                return [.. pdus];
        }
    }

    public IReadOnlyList<JsonElement> Transactions
    {
        get
        {
            lock (gate)
                return [.. transactions];
        }
    }

    /// <summary>The contents of the EDUs of a kind, in order.</summary>
    public IReadOnlyList<JsonElement> Edus(string type)
    {
        lock (gate)
            return [.. edus.Where(edu => edu.String("edu_type") == type).Select(edu => edu.At("content"))];
    }

    /// <summary>Waits until what came is what the test waits for.</summary>
    public async Task Until(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            try
            {
                await arrived.Reader.ReadAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"It did not come. What came: {string.Join('\n', Transactions)}");
            }
        }
    }

    /// <summary>Asks our server for something until what came is what the test waits for: our server may notice later than this one that it failed.</summary>
    public Task HeardUntil(MatrixServer server, Func<bool> condition) => Eventually.True("it comes", async () =>
    {
        if (condition()) return true;
        (await Remote.Get(server, "/_matrix/federation/v1/query/directory?room_alias=" + Uri.EscapeDataString($"#none:{server.ServerName}"))).Refused(404, "M_NOT_FOUND");
        return condition();
    }, () => $"What came: {string.Join('\n', Transactions)}");

    /// <summary>A user of this server joins a room, as its join would come from a third server that it asked.</summary>
    public async Task<Pdu> Join(MatrixServer server, string roomId, string localpart = "bob") =>
        await Receive(server, roomId, EventTypes.Member, Remote.User(localpart), new { membership = "join" }, Remote.User(localpart).ToString());

    /// <summary>An event of this server becomes part of a room.</summary>
    public async Task<Pdu> Receive(MatrixServer server, string roomId, string type, UserId sender, object content, string? stateKey = null, bool relay = false)
    {
        var services = server.Services;
        var room = await services.GetRequiredService<RoomFinder>().Get(RoomId.Parse(roomId), default);
        var head = (await services.GetRequiredService<RoomStore>().FindHead(room.RoomNid, default))!;
        var state = services.GetRequiredService<RoomState>();
        var json = JsonSerializer.SerializeToElement(content);
        var cited = new List<EventId>();
        foreach (var key in AuthEvents.KeysFor(type, stateKey, sender, json, room.Rules))
        {
            if (await state.Get(head.StateRoot, key.Type, key.StateKey, default) is { } pdu)
                cited.Add(pdu.EventId);
        }
        var built = Remote.Build(room.Rules, new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = sender, RoomId = room.RoomId, Content = Encoding.UTF8.GetBytes(json.GetRawText()),
            PrevEvents = [.. head.Extremities.Select(e => e.EventId)], AuthEvents = cited, Depth = head.Depth + 1,
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        var received = await services.GetRequiredService<RoomReceiver>().Receive(room, built, null, default, relay);
        Assert.Equal(Reception.Accepted, received.Reception);
        return built;
    }
}
