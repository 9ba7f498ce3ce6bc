using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>A message that the server has acknowledged.</summary>
public sealed record Acknowledged(string Room, string EventId, string Sender, string Body);

/// <summary>
/// Somebody with connections of their own, who sends and reads as a client does: a request that failed is made again with the same transaction id, and a
/// gap in a timeline is filled.
/// </summary>
sealed class Person(Uri server, string name, Trouble trouble) : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(20) }) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(90) };
    readonly Dictionary<string, List<string>> _seen = [];
    int _transactions;
    string? _since;

    public string UserId { get; private set; } = "";

    public string Token { get; private set; } = "";

    /// <summary>The messages of each room in the order in which they came, by event id.</summary>
    public IReadOnlyDictionary<string, List<string>> Seen => _seen;

    public async Task Register(CancellationToken ct)
    {
        using var answer = await Insist(HttpMethod.Post, "_matrix/client/v3/register",
            new { username = name, password = "a long password", auth = new { type = "m.login.dummy" } }, ct);
        UserId = answer.RootElement.GetProperty("user_id").GetString()!;
        Token = answer.RootElement.GetProperty("access_token").GetString()!;
        _http.DefaultRequestHeaders.Authorization = new("Bearer", Token);
    }

    public async Task<string> CreateRoom(CancellationToken ct)
    {
        using var answer = await Insist(HttpMethod.Post, "_matrix/client/v3/createRoom", new { preset = "public_chat" }, ct);
        return answer.RootElement.GetProperty("room_id").GetString()!;
    }

    /// <param name="via">A server that is in the room, where this one may not be.</param>
    public async Task Join(string room, string? via, CancellationToken ct) => (await Insist(HttpMethod.Post,
        $"_matrix/client/v3/join/{Uri.EscapeDataString(room)}{(via is null ? "" : $"?via={Uri.EscapeDataString(via)}&server_name={Uri.EscapeDataString(via)}")}", new { }, ct)).Dispose();

    public async Task<Acknowledged> Send(string room, CancellationToken ct)
    {
        var transaction = string.Create(CultureInfo.InvariantCulture, $"{name}-{++_transactions}");
        using var answer = await Insist(HttpMethod.Put, $"_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/send/m.room.message/{transaction}",
            new { msgtype = "m.text", body = transaction }, ct);
        return new(room, answer.RootElement.GetProperty("event_id").GetString()!, UserId, transaction);
    }

    /// <summary>The address of what was uploaded.</summary>
    public async Task<string> Upload(byte[] content, CancellationToken ct)
    {
        using var answer = await Insist(HttpMethod.Post, "_matrix/media/v3/upload", content, ct);
        return answer.RootElement.GetProperty("content_uri").GetString()!;
    }

    /// <summary>Things that change nothing for the auditor: they must not fail either.</summary>
    public async Task Potter(string room, string lastEvent, Random random, CancellationToken ct)
    {
        var escaped = Uri.EscapeDataString(room);
        using var answer = await (random.Next(7) switch
        {
            0 => Insist(HttpMethod.Get, "_matrix/key/v2/server", null, ct),
            1 => Insist(HttpMethod.Get, "_matrix/federation/v1/version", null, ct),
            2 => Insist(HttpMethod.Get, $"_matrix/client/v3/rooms/{escaped}/messages?dir=b&limit=5", null, ct),
            3 => Insist(HttpMethod.Put, $"_matrix/client/v3/rooms/{escaped}/typing/{UserId}", new { typing = true, timeout = 2000 }, ct),
            4 => Insist(HttpMethod.Post, $"_matrix/client/v3/rooms/{escaped}/receipt/m.read/{Uri.EscapeDataString(lastEvent)}", new { }, ct),
            5 => Insist(HttpMethod.Get, $"_matrix/client/v3/profile/{UserId}", null, ct),
            _ => Insist(HttpMethod.Post, "_matrix/media/v3/upload", new { some = new string('x', random.Next(200_000)) }, ct),
        });
    }

    /// <summary>One turn of the sync loop.</summary>
    public async Task Sync(int timeout, CancellationToken ct)
    {
        var since = _since is null ? "" : $"&since={_since}";
        using var answer = await Insist(HttpMethod.Get, $"_matrix/client/v3/sync?timeout={timeout.ToString(CultureInfo.InvariantCulture)}{since}", null, ct);
        if (answer.RootElement.TryGetProperty("rooms", out var rooms) && rooms.TryGetProperty("join", out var joined))
            foreach (var room in joined.EnumerateObject()) await Read(room.Name, room.Value, ct);
        _since = answer.RootElement.GetProperty("next_batch").GetString();
    }

    /// <summary>A long poll of another of this person's devices, which looks at nothing but where to go on.</summary>
    public async Task<string> Poll(string? since, int timeout, CancellationToken ct)
    {
        using var answer = await Insist(HttpMethod.Get,
            $"_matrix/client/v3/sync?timeout={timeout.ToString(CultureInfo.InvariantCulture)}{(since is null ? "" : "&since=" + since)}", null, ct);
        return answer.RootElement.GetProperty("next_batch").GetString()!;
    }

    /// <summary>All messages of a room from its beginning, as the server tells them to somebody who was not there.</summary>
    public async Task<IReadOnlyList<(string EventId, string Sender, string Body)>> ReadAll(string room, CancellationToken ct)
    {
        var all = new List<(string, string, string)>();
        await foreach (var message in Back(room, null, ct)) all.Add(message);
        all.Reverse();
        return all;
    }

    async Task Read(string room, JsonElement joined, CancellationToken ct)
    {
        if (!joined.TryGetProperty("timeline", out var timeline)) return;
        var seen = _seen.TryGetValue(room, out var had) ? had : _seen[room] = [];
        if (timeline.TryGetProperty("limited", out var limited) && limited.GetBoolean())
        {
            var missed = new List<string>();
            await foreach (var (eventId, _, _) in Back(room, timeline.GetProperty("prev_batch").GetString(), ct))
            {
                if (seen.Count > 0 && seen[^1] == eventId) break;
                missed.Add(eventId);
            }
            seen.AddRange(Enumerable.Reverse(missed));
        }
        seen.AddRange(timeline.GetProperty("events").EnumerateArray().Where(IsMessage).Select(e => e.GetProperty("event_id").GetString()!));
    }

    async IAsyncEnumerable<(string EventId, string Sender, string Body)> Back(string room, string? from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            using var page = await Insist(HttpMethod.Get, $"_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/messages?dir=b&limit=200{(from is null ? "" : "&from=" + from)}", null, ct);
            foreach (var e in page.RootElement.GetProperty("chunk").EnumerateArray().Where(IsMessage))
                yield return (e.GetProperty("event_id").GetString()!, e.GetProperty("sender").GetString()!, e.GetProperty("content").GetProperty("body").GetString()!);
            if (!page.RootElement.TryGetProperty("end", out var end)) yield break;
            from = end.GetString();
        }
    }

    static bool IsMessage(JsonElement e) => e.GetProperty("type").GetString() == "m.room.message";

    /// <summary>Asks until it is answered; each failure on the way is noted.</summary>
    async Task<JsonDocument> Insist(HttpMethod method, string path, object? body, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            trouble.Count();
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (body is byte[] bytes) request.Content = new ByteArrayContent(bytes);
                else if (body is not null) request.Content = JsonContent.Create(body);
                using var response = await _http.SendAsync(request, ct);
                var answer = await response.Content.ReadAsByteArrayAsync(ct);
                if (response.IsSuccessStatusCode) return JsonDocument.Parse(answer);
                trouble.Refused($"{method} {path}", response, Encoding.UTF8.GetString(answer));
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
                trouble.Broken($"{method} {path}", e);
            }
            await Task.Delay(Pause, ct);
        }
    }

    public void Dispose() => _http.Dispose();
}
