using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using EventId = Matrix.Protocol.EventId;

namespace Matrix.Load;

/// <summary>Another homeserver, of which there is only what a server under load asks for: a name on localhost, a certificate, a published key, and events.</summary>
sealed class Peer : IDisposable
{
    static readonly SemaphoreSlim gate = new(1);
    static Peer? shared;

    readonly KeyedServer _self;
    readonly ConcurrentDictionary<EventId, Pdu> _made = [];
    readonly ConcurrentDictionary<string, FarRoom> _rooms = [];
    readonly HttpClient _http;
    PeerServers? _servers;

    Peer(ServerName name, string folder)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, "ca.crt"))));
        // a port may be used again by the next run, and servers remember keys by server and id
        _self = new(name, SigningKey.Generate($"load_{Guid.NewGuid():N}"));
        _http = new(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trust } }) { Timeout = TimeSpan.FromSeconds(120) };
    }

    /// <summary>The folder of an authority that the servers trust; null: none was named.</summary>
    public static string? Authority { get; set; }

    public ServerName Name => _self.Name;

    /// <exception cref="LoadException">Nothing is known that a server would trust.</exception>
    public static async Task<Peer> Start(CancellationToken ct)
    {
        if (Authority is not { } folder) throw new LoadException("--peer-ca is not given.", isUnsupported: true);
        await gate.WaitAsync(ct);
        try
        {
            return shared ??= await Start(folder, ct);
        }
        finally
        {
            gate.Release();
        }
    }

    static async Task<Peer> Start(string folder, CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(PeerCertificates.Issue(folder, "localhost"))));
        var app = builder.Build();
        Peer? peer = null;
        app.Run(context => peer!.Answer(context));
        await app.StartAsync(ct);
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        return peer = new(ServerName.Parse($"localhost:{port}"), folder);
    }

    /// <summary>One of its users joins a public room.</summary>
    public async Task<PeerRoom> Join(HomeserverClient client, User owner, CancellationToken ct)
    {
        var (room, state) = await client.CreateRoomForPeers(owner, ct);
        var user = UserId.Create("peer", Name);
        var template = JsonElement.Parse(await Ask(client.Target, owner, HttpMethod.Get,
            $"/_matrix/federation/v1/make_join/{Uri.EscapeDataString(room)}/{Uri.EscapeDataString(user.ToString())}?ver=10", null, ct)).GetProperty("event");
        var rules = RoomVersions.Find("10")!;
        var join = new PduBuilder
        {
            Type = EventTypes.Member, StateKey = user.ToString(), Sender = user, RoomId = RoomId.Parse(room), ContentElement = template.GetProperty("content"),
            PrevEvents = Ids(template, "prev_events"), AuthEvents = Ids(template, "auth_events"), Depth = template.GetProperty("depth").GetInt64(),
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        }.Build(rules, Name, _self.Key);
        await Ask(client.Target, owner, HttpMethod.Put,
            $"/_matrix/federation/v2/send_join/{Uri.EscapeDataString(room)}/{Uri.EscapeDataString(join.EventId.ToString())}", join.Json.ToArray(), ct);
        return new(room, user, join, [EventId.Parse(state[EventTypes.Create]), EventId.Parse(state[EventTypes.PowerLevels]), join.EventId]);
    }

    /// <summary>So many servers more, the same for all who ask.</summary>
    public async Task<PeerServers> Servers(int count, CancellationToken ct) => _servers ??= await PeerServers.Start(this, Authority!, count, ct);

    /// <summary>A room of its own, which others may join.</summary>
    /// <param name="others">Servers whose users the members are, if not its own.</param>
    public FarRoom Make(int members, IReadOnlyList<KeyedServer>? others = null)
    {
        var room = new FarRoom(_self, members, others);
        return _rooms[room.RoomId.ToString()] = room;
    }

    public void Forget(FarRoom room) => _rooms.TryRemove(room.RoomId.ToString(), out _);

    /// <summary>The room's next message.</summary>
    public Pdu Next(PeerRoom room, string text)
    {
        var pdu = new PduBuilder
        {
            Type = "m.room.message", Sender = room.User, RoomId = RoomId.Parse(room.Id), Content = Encoding.UTF8.GetBytes($$"""{"msgtype":"m.text","body":"{{text}}"}"""),
            PrevEvents = [room.Last.EventId], AuthEvents = room.Auth, Depth = room.Last.Depth + 1, OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        }.Build(room.Last.Rules, Name, _self.Key);
        return room.Last = _made[pdu.EventId] = pdu;
    }

    /// <summary>Sends a transaction.</summary>
    /// <param name="from">Who does, if not the peer itself.</param>
    public Task Send(Target target, User owner, IReadOnlyList<Pdu> pdus, CancellationToken ct, KeyedServer? from = null)
    {
        var body = new List<byte>(Encoding.UTF8.GetBytes($$"""{"origin":"{{(from ?? _self).Name}}","origin_server_ts":1,"edus":[],"pdus":["""));
        foreach (var (i, pdu) in pdus.Index())
        {
            if (i > 0) body.Add((byte)',');
            body.AddRange(pdu.Json.Span);
        }
        body.AddRange("]}"u8);
        return Ask(target, owner, HttpMethod.Put, $"/_matrix/federation/v1/send/{HomeserverClient.Transaction()}", [.. body], ct, from);
    }

    public void Dispose() => _http.Dispose();

    async Task<byte[]> Ask(Target target, User owner, HttpMethod method, string path, byte[]? body, CancellationToken ct, KeyedServer? from = null)
    {
        using var request = new HttpRequestMessage(method, target.FederationUrl.ToString().TrimEnd('/') + path);
        ReadOnlyMemory<byte>? content = body is null ? null : new ReadOnlyMemory<byte>(body);
        var signature = XMatrix.Sign((from ?? _self).Name, (from ?? _self).Key, UserId.Parse(owner.Id).Server, method.Method, path, content);
        request.Headers.TryAddWithoutValidation("Authorization", signature.ToString());
        if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        using var response = await _http.SendAsync(request, ct);
        var answer = await response.Content.ReadAsByteArrayAsync(ct);
        return response.IsSuccessStatusCode ? answer : throw new LoadException($"{target.Name}: {method} {path}: {(int)response.StatusCode} {Encoding.UTF8.GetString(answer)}");
    }

    public async Task Answer(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        if (context.Request.Path.StartsWithSegments("/_matrix/federation/v1/get_missing_events", StringComparison.Ordinal))
        {
            await GiveMissing(context);
            return;
        }
        if (FindRoom(context) is var (room, endpoint, last))
        {
            await room.Answer(context, endpoint, last);
            return;
        }
        if (context.Request.Path != "/_matrix/key/v2/server")
        {
            context.Response.StatusCode = context.Request.Path.StartsWithSegments("/_matrix/federation/v1/send", StringComparison.Ordinal) ? 200 : 404;
            await context.Response.WriteAsync("""{"errcode":"M_UNRECOGNIZED","error":"Only under load.","pdus":{}}""", context.RequestAborted);
            return;
        }
        await GiveKeys(context, _self);
    }

    /// <summary>The key that a server has published.</summary>
    public static async Task GiveKeys(HttpContext context, KeyedServer server)
    {
        context.Response.ContentType = "application/json";
        var list = new
        {
            server_name = server.Name.ToString(), old_verify_keys = new { }, valid_until_ts = TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds(),
            verify_keys = new Dictionary<string, object> { [server.Key.KeyId.ToString()] = new { key = server.Key.VerifyKey.ToString() } },
        };
        await context.Response.Body.WriteAsync(JsonSignatures.Sign(JsonSerializer.SerializeToUtf8Bytes(list), server.Name, server.Key), context.RequestAborted);
    }

    /// <summary>Of a request about a room of its own: the room, the endpoint, and the path's last part.</summary>
    (FarRoom Room, string Endpoint, string Last)? FindRoom(HttpContext context)
    {
        var parts = context.Request.Path.Value!.Split('/').Select(Uri.UnescapeDataString).ToArray();
        if (parts is not ["", "_matrix", "federation", _, { } endpoint, .., { } last])
            return null;
        var room = endpoint == "event" ? _rooms.Values.FirstOrDefault(room => room.Has(EventId.Parse(last))) : _rooms.GetValueOrDefault(parts[5]);
        return room is null ? null : (room, endpoint, last);
    }

    /// <summary>To a server that takes the events of a transaction in another order than theirs.</summary>
    async Task GiveMissing(HttpContext context)
    {
        using var request = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var earliest = Ids(request.RootElement, "earliest_events").ToHashSet();
        var events = new List<JsonElement>();
        for (var at = _made.GetValueOrDefault(Ids(request.RootElement, "latest_events")[0]); at is not null && events.Count < 20;)
        {
            at = at.PrevEvents.Count > 0 && !earliest.Contains(at.PrevEvents[0]) ? _made.GetValueOrDefault(at.PrevEvents[0]) : null;
            if (at is not null) events.Insert(0, JsonElement.Parse(at.Json.Span));
        }
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new { events }), context.RequestAborted);
    }

    static EventId[] Ids(JsonElement template, string member) => [.. template.GetProperty(member).EnumerateArray().Select(id => EventId.Parse(id.GetString()!))];
}

/// <summary>A room of a server under load, in which the peer's user is.</summary>
/// <param name="Auth">What that user's messages cite.</param>
sealed record PeerRoom(string Id, UserId User, Pdu Join, IReadOnlyList<EventId> Auth)
{
    /// <summary>The newest event.</summary>
    public Pdu Last { get; set; } = Join;
}
