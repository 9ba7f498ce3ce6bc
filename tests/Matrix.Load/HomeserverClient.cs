using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Matrix.Load;

/// <summary>The server refused, or does not serve what was asked.</summary>
sealed class LoadException(string message, bool isUnsupported = false) : Exception(message)
{
    public bool IsUnsupported { get; } = isUnsupported;
}

/// <summary>An account with one device, and what it asks.</summary>
sealed record User(string Id, string Token, string Password);

/// <summary>The requests of the Client-Server API that the scenarios are made of, as bytes in and bytes out.</summary>
sealed class HomeserverClient(Target target) : IDisposable
{
    const string Api = "_matrix/client/v3";
    static readonly MediaTypeHeaderValue json = new("application/json");
    static long transactions = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;

    readonly ConcurrentDictionary<string, string> devices = new();
    readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1000, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10) })
    {
        BaseAddress = target.Url,
        Timeout = TimeSpan.FromSeconds(120),
    };

    public Target Target => target;

    public async Task<byte[]> Ask(HttpMethod method, string path, string? token, string? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = json } };
        using var response = await _http.SendAsync(request, ct);
        var bytes = await response.Content.ReadAsByteArrayAsync(ct);
        if (response.StatusCode == HttpStatusCode.OK) return bytes;
        var text = Encoding.UTF8.GetString(bytes);
        throw new LoadException($"{target.Name}: {method} {path}: {(int)response.StatusCode} {text}", text.Contains("M_UNRECOGNIZED", StringComparison.Ordinal));
    }

    /// <summary>Uploads a file; returns server name and media id, as paths have them.</summary>
    public async Task<string> Upload(User user, byte[] content, string type, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "_matrix/media/v3/upload");
        request.Headers.Authorization = new("Bearer", user.Token);
        request.Content = new ByteArrayContent(content) { Headers = { ContentType = new(type) } };
        using var response = await _http.SendAsync(request, ct);
        var answer = await response.Content.ReadAsByteArrayAsync(ct);
        if (response.StatusCode != HttpStatusCode.OK) throw new LoadException($"{target.Name}: upload: {(int)response.StatusCode} {Encoding.UTF8.GetString(answer)}");
        return Text(answer, "content_uri")["mxc://".Length..];
    }

    public Task<byte[]> Get(User user, string path, CancellationToken ct) => Ask(HttpMethod.Get, path, user.Token, null, ct);

    public Task<byte[]> Put(User user, string path, string body, CancellationToken ct) => Ask(HttpMethod.Put, path, user.Token, body, ct);

    public Task<byte[]> Post(User user, string path, string body, CancellationToken ct) => Ask(HttpMethod.Post, path, user.Token, body, ct);

    /// <summary>Makes an account by <c>/_synapse/admin/v1/register</c>, which needs no stages and knows no limit.</summary>
    public async Task<User> Register(string name, string password, CancellationToken ct)
    {
        const string path = "_synapse/admin/v1/register";
        var nonce = Text(await Ask(HttpMethod.Get, path, null, null, ct), "nonce");
#pragma warning disable CA5350 // the protocol says SHA-1
        var mac = Convert.ToHexStringLower(HMACSHA1.HashData(
            Encoding.UTF8.GetBytes(target.Secret), Encoding.UTF8.GetBytes($"{nonce}\0{name}\0{password}\0notadmin")));
#pragma warning restore CA5350
        var answer = await Ask(HttpMethod.Post, path, null,
            $$"""{"nonce":"{{nonce}}","username":"{{name}}","password":"{{password}}","admin":false,"mac":"{{mac}}"}""", ct);
        return new(Text(answer, "user_id"), Text(answer, "access_token"), password);
    }

    public Task<byte[]> Login(User user, CancellationToken ct) => Ask(HttpMethod.Post, $"{Api}/login", null,
        $$$"""{"type":"m.login.password","identifier":{"type":"m.id.user","user":"{{{user.Id}}}"},"password":"{{{user.Password}}}"}""", ct);

    public async Task<string> CreateRoom(User user, CancellationToken ct, bool isPublic = false, IEnumerable<User>? invite = null)
    {
        var invited = string.Join(',', (invite ?? []).Select(guest => $"\"{guest.Id}\""));
        return Text(await Post(user, $"{Api}/createRoom",
            $$"""{"preset":"{{(isPublic ? "public_chat" : "private_chat")}}","name":"Load","topic":"Under load","invite":[{{invited}}]}""", ct), "room_id");
    }

    /// <summary>A public room of a version that all servers have, and the ids of the events that stand in its state, by type.</summary>
    public async Task<(string Id, IReadOnlyDictionary<string, string> State)> CreateRoomForPeers(User user, CancellationToken ct)
    {
        var room = Text(await Post(user, $"{Api}/createRoom", """{"preset":"public_chat","room_version":"10"}""", ct), "room_id");
        using var state = JsonDocument.Parse(await Get(user, $"{Api}/rooms/{Escape(room)}/state", ct));
        return (room, state.RootElement.EnumerateArray().ToDictionary(e => e.GetProperty("type").GetString()!, e => e.GetProperty("event_id").GetString()!));
    }

    /// <summary>Does the server show the event?</summary>
    public async Task<bool> Has(User user, string room, string eventId, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Api}/rooms/{Escape(room)}/event/{Escape(eventId)}") { Headers = { Authorization = new("Bearer", user.Token) } };
        using var response = await _http.SendAsync(request, ct);
        return response.IsSuccessStatusCode;
    }

    /// <param name="via">A server by which a room of others is reached.</param>
    public Task<byte[]> Join(User user, string room, CancellationToken ct, string? via = null) =>
        Post(user, $"{Api}/join/{Escape(room)}{(via is null ? "" : $"?via={Escape(via)}&server_name={Escape(via)}")}", "{}", ct);

    /// <summary>Sends a text; returns the event's id.</summary>
    public async Task<string> Send(User user, string room, string text, CancellationToken ct) => Text(await Put(user,
        $"{Api}/rooms/{Escape(room)}/send/m.room.message/{Transaction()}", $$"""{"msgtype":"m.text","body":"{{text}}"}""", ct), "event_id");

    public Task<byte[]> Receipt(User user, string room, string eventId, CancellationToken ct) =>
        Post(user, $"{Api}/rooms/{Escape(room)}/receipt/m.read/{Escape(eventId)}", "{}", ct);

    public Task<byte[]> Typing(User user, string room, bool isTyping, CancellationToken ct) => Put(user,
        $"{Api}/rooms/{Escape(room)}/typing/{Escape(user.Id)}", isTyping ? """{"typing":true,"timeout":30000}""" : """{"typing":false}""", ct);

    public Task<byte[]> SetPresence(User user, string presence, CancellationToken ct) =>
        Put(user, $"{Api}/presence/{Escape(user.Id)}/status", $$"""{"presence":"{{presence}}"}""", ct);

    public Task<byte[]> SendToDevices(User user, IEnumerable<User> receivers, CancellationToken ct)
    {
        var content = $$$"""{"*":{"algorithm":"m.olm.v1.curve25519-aes-sha2","ciphertext":"{{{new string('x', 300)}}}"}}""";
        var messages = string.Join(',', receivers.Select(to => $"\"{to.Id}\":{content}"));
        return Put(user, $"{Api}/sendToDevice/m.room.encrypted/{Transaction()}", "{\"messages\":{" + messages + "}}", ct);
    }

    /// <summary>Identity keys of the user's device, one-time keys, and a fallback key.</summary>
    public async Task UploadKeys(User user, int oneTimeKeys, CancellationToken ct)
    {
        var device = await Device(user, ct);
        var (key, signature) = (new string('k', 43), new string('s', 86));
        var signatures = new Dictionary<string, object> { [user.Id] = new Dictionary<string, string> { [$"ed25519:{device}"] = signature } };
        await Post(user, $"{Api}/keys/upload", JsonSerializer.Serialize(new
        {
            device_keys = new
            {
                user_id = user.Id, device_id = device, algorithms = new[] { "m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2" },
                keys = new Dictionary<string, string> { [$"curve25519:{device}"] = key, [$"ed25519:{device}"] = key }, signatures,
            },
            one_time_keys = Enumerable.Range(0, oneTimeKeys).ToDictionary(_ => $"signed_curve25519:{Transaction()}", _ => new { key, signatures }),
            fallback_keys = new Dictionary<string, object> { ["signed_curve25519:F"] = new { key, fallback = true, signatures } },
        }), ct);
    }

    public Task<byte[]> QueryKeys(User user, IEnumerable<User> others, CancellationToken ct) => Post(user, $"{Api}/keys/query",
        "{\"device_keys\":{" + string.Join(',', others.Select(other => $"\"{other.Id}\":[]")) + "}}", ct);

    public async Task<byte[]> ClaimKey(User user, User other, CancellationToken ct) => await Post(user, $"{Api}/keys/claim",
        $$$$"""{"one_time_keys":{"{{{{other.Id}}}}":{"{{{{await Device(other, ct)}}}}":"signed_curve25519"}}}""", ct);

    /// <summary>Which device the user's token is of.</summary>
    async Task<string> Device(User user, CancellationToken ct)
    {
        if (!devices.TryGetValue(user.Id, out var device))
            devices[user.Id] = device = Text(await Get(user, $"{Api}/account/whoami", ct), "device_id");
        return device;
    }

    public Task<byte[]> SetDisplayName(User user, string name, CancellationToken ct) =>
        Put(user, $"{Api}/profile/{Escape(user.Id)}/displayname", $$"""{"displayname":"{{name}}"}""", ct);

    /// <summary>Is this the user's name in the room?</summary>
    public async Task<bool> Shows(User user, string room, string name, CancellationToken ct) =>
        Text(await Get(user, $"{Api}/rooms/{Escape(room)}/state/m.room.member/{Escape(user.Id)}", ct), "displayname") == name;

    public Task<byte[]> Messages(User user, string room, int limit, CancellationToken ct) =>
        Get(user, $"{Api}/rooms/{Escape(room)}/messages?dir=b&limit={limit}", ct);

    public Task<byte[]> Sync(User user, string? since, int timeout, string? filter, CancellationToken ct) => Get(user,
        $"{Api}/sync?timeout={timeout}{(since is null ? "" : $"&since={Escape(since)}")}{(filter is null ? "" : $"&filter={Escape(filter)}")}", ct);

    public Task<byte[]> SlidingSync(User user, string? position, string body, CancellationToken ct) => Post(user,
        $"_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0{(position is null ? "" : $"&pos={Escape(position)}")}", body, ct);

    /// <summary>A string of the outermost object, found without building a document: sync answers are large.</summary>
    public static string Text(ReadOnlySpan<byte> answer, string member)
    {
        var reader = new Utf8JsonReader(answer);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isWanted = reader.ValueTextEquals(member);
            reader.Read();
            if (isWanted) return reader.GetString()!;
            reader.Skip();
        }
        throw new LoadException($"The answer has no {member}: {Encoding.UTF8.GetString(answer[..Math.Min(answer.Length, 200)])}");
    }

    public static string Transaction() => Interlocked.Increment(ref transactions).ToString(System.Globalization.CultureInfo.InvariantCulture);

    static string Escape(string part) => Uri.EscapeDataString(part);

    public void Dispose() => _http.Dispose();
}
