using System.Text.Json;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>The event id that a send returned.</summary>
public sealed record Sent(string EventId);

/// <summary>One logged-in device of a user, with the requests of everyday chat. Each fails the test unless the server agrees.</summary>
public sealed class User(HttpClient http, string userId, string deviceId, string accessToken, string? password = null) : ApiClient(http, accessToken)
{
    const string V3 = "/_matrix/client/v3";
    static int s_transactions;

    public string UserId => userId;

    public string DeviceId => deviceId;

    public string? Password => password;

    public string Localpart => userId[1..userId.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>A content of m.room.message.</summary>
    public static object Text(string body) => new { msgtype = "m.text", body };

    /// <summary>Another device of the same user, logged in by password.</summary>
    public async Task<User> NewDevice(string? deviceId = null)
    {
        var identifier = new { type = "m.id.user", user = userId };
        object body = deviceId == null
            ? new { type = "m.login.password", identifier, password }
            : new { type = "m.login.password", identifier, password, device_id = deviceId };
        var login = (await new ApiClient(Http).Post($"{V3}/login", body)).Ok();
        return new User(Http, userId, login.String("device_id"), login.String("access_token"), password);
    }

    /// <returns>The room's id.</returns>
    public async Task<string> CreateRoom(object? options = null) => (await Post($"{V3}/createRoom", options)).Ok().String("room_id");

    /// <summary>A room that anybody may join.</summary>
    public Task<string> CreatePublicRoom() => CreateRoom(new { preset = "public_chat" });

    public async Task Invite(string room, User other) => (await Post($"{V3}/rooms/{Esc(room)}/invite", new { user_id = other.UserId })).Ok();

    public async Task Join(string roomIdOrAlias) => (await Post($"{V3}/join/{Esc(roomIdOrAlias)}")).Ok();

    public async Task Leave(string room) => (await Post($"{V3}/rooms/{Esc(room)}/leave")).Ok();

    public Task<Sent> Say(string room, string body) => Send(room, "m.room.message", Text(body));

    public async Task<Sent> Send(string room, string type, object content, string? txnId = null) =>
        new((await TrySend(room, type, content, txnId)).Ok().String("event_id"));

    /// <summary>Like <see cref="Send"/>, for tests of refusals.</summary>
    public Task<Reply> TrySend(string room, string type, object content, string? txnId = null) =>
        Put($"{V3}/rooms/{Esc(room)}/send/{Esc(type)}/{Esc(txnId ?? NewTransactionId())}", content);

    public async Task<Sent> SetState(string room, string type, object content, string stateKey = "") =>
        new((await TrySetState(room, type, content, stateKey)).Ok().String("event_id"));

    public Task<Reply> TrySetState(string room, string type, object content, string stateKey = "") =>
        Put($"{V3}/rooms/{Esc(room)}/state/{Esc(type)}/{Esc(stateKey)}", content);

    /// <returns>The content of a state event.</returns>
    public async Task<JsonElement> GetState(string room, string type, string stateKey = "") =>
        (await Get($"{V3}/rooms/{Esc(room)}/state/{Esc(type)}/{Esc(stateKey)}")).Ok().Json;

    public async Task<Sent> Redact(string room, string eventId, string? reason = null) =>
        new((await Put($"{V3}/rooms/{Esc(room)}/redact/{Esc(eventId)}/{NewTransactionId()}", reason == null ? new { } : new { reason }))
            .Ok().String("event_id"));

    /// <summary>From now on this user ignores these, and nobody else.</summary>
    public async Task Ignore(params User[] others) => (await Put($"{V3}/user/{Esc(UserId)}/account_data/m.ignored_user_list",
        new { ignored_users = others.ToDictionary(other => other.UserId, _ => new { }) })).Ok();

    public async Task<JsonElement> Event(string room, string eventId) => (await Get($"{V3}/rooms/{Esc(room)}/event/{Esc(eventId)}")).Ok().Json;

    /// <summary>Asks for an event until what is sent from now on has a later time than it.</summary>
    public async Task PassMillisecond(string room, Sent sent)
    {
        while ((await Event(room, sent.EventId)).At("origin_server_ts").GetInt64() >= TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds())
        {
        }
    }

    /// <param name="dir"><c>b</c> from the newest, <c>f</c> from the oldest.</param>
    public async Task<Reply> Messages(string room, string? from = null, string dir = "b", int limit = 10, object? filter = null) =>
        (await Get($"{V3}/rooms/{Esc(room)}/messages?dir={dir}&limit={limit}{Query("from", from)}{Query("filter", ToJson(filter))}")).Ok();

    /// <param name="since">A token of an earlier sync; null for an initial one.</param>
    /// <param name="timeout">How long the server may hold the request, in milliseconds.</param>
    /// <param name="filter">A filter's id, or an object that is sent inline.</param>
    public async Task<SyncReply> Sync(string? since = null, int timeout = 0, object? filter = null, bool fullState = false) =>
        new((await Get($"{V3}/sync?timeout={timeout}{Query("since", since)}{Query("filter", ToJson(filter))}{(fullState ? "&full_state=true" : "")}")).Ok());

    /// <summary>Syncs on from <paramref name="since"/>, without limit of rounds but for at most a minute, until one answer is what the test waits for.</summary>
    public async Task<SyncReply> SyncUntil(Func<SyncReply, bool> arrived, string? since = null, object? filter = null)
    {
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var sync = await Sync(since, since == null ? 0 : 5_000, filter);
            if (arrived(sync))
            {
                return sync;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(until) < TimeSpan.FromSeconds(60), $"It did not arrive; the last sync was {sync.Json}");
            since = sync.NextBatch;
        }
    }

    static string NewTransactionId() => $"txn{Interlocked.Increment(ref s_transactions)}-{Guid.NewGuid():N}";

    static string? ToJson(object? filter) => filter is null or string ? (string?)filter : JsonSerializer.Serialize(filter);

    static string Query(string name, string? value) => value == null ? "" : $"&{name}={Esc(value)}";
}
