using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Matrix.Federation;
using Matrix.FederationSender.Queues;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;
using Matrix.Storage.Rooms;

namespace Matrix.FederationSender.Routing;

/// <summary>
/// What is only good at the moment: who of this server's users types and who is there, from the processes that know, and which servers are heard from. What
/// is lost on the way is said again or runs out. Read by the router, so that it goes to the servers that events go to.
/// </summary>
sealed class Ephemera(
    EphemeralChannel channel, Deliveries deliveries, RoomDestinations rooms, OutgoingEduStore store, RoomStore roomStore, ServerSigningKey own, Caches caches,
    TimeProvider time) : IDisposable
{
    static readonly TimeSpan Sweep = TimeSpan.FromSeconds(2), SharingFor = TimeSpan.FromMinutes(1);

    readonly string suffix = $":{own.ServerName}";
    readonly Channel<object> inbox = Channel.CreateBounded<object>(new BoundedChannelOptions(4096) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    readonly BoundedCache<long, string> roomIds = caches.Create<long, string>("federation_room_ids", 1 << 20, (_, id) => 32 + Caches.WeightOf(id));
    readonly BoundedCache<string, (ServerName[] Servers, long At)> sharing = caches.Create<string, (ServerName[] Servers, long At)>(
        "federation_sharing", 8 << 20, (user, known) => Caches.WeightOf(user) + 48 + 40L * known.Servers.Length);
    readonly Dictionary<(long Room, string User), DateTimeOffset> typing = [];
    ITimer? clock;

    public void Begin(Action wake)
    {
        channel.Subscribe(message =>
        {
            if (Read(message.Span) is { } news && inbox.Writer.TryWrite(news))
                wake();
        });
        clock = time.CreateTimer(_ => wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => clock?.Dispose();

    /// <summary>Hands on what has come since the last time.</summary>
    public async Task Route(CancellationToken ct)
    {
        while (inbox.Reader.TryRead(out var news))
        {
            if (news is TypingNews typed)
                await Type(typed, ct);
            else if (news is PresenceShown presence)
                await Show(presence, ct);
            else if (news is ServerHeard heard && ServerName.TryParse(heard.Server, out var server))
                deliveries.HeardFrom(server);
        }
        if (typing.Count == 0)
            return;
        var now = time.GetUtcNow();
        foreach (var (room, user) in typing.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToArray())
            await Type(TypingNews.Of(room, user, TimeSpan.Zero), ct);
        clock?.Change(typing.Count > 0 ? Sweep : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    object? Read(ReadOnlySpan<byte> message)
    {
        if (message.StartsWith("{\"Kind\":\"typing\","u8))
            return JsonSerializer.Deserialize<TypingNews>(message) is { } news && news.UserId.EndsWith(suffix, StringComparison.Ordinal) ? news : null;
        if (message.StartsWith("{\"Kind\":\"presence-shown\","u8))
            return JsonSerializer.Deserialize<PresenceShown>(message);
        return message.StartsWith("{\"Kind\":\"server-heard\","u8) ? JsonSerializer.Deserialize<ServerHeard>(message) : null;
    }

    async Task Type(TypingNews news, CancellationToken ct)
    {
        var isTyping = news.Milliseconds > 0;
        if (isTyping)
            typing[(news.RoomNid, news.UserId)] = time.GetUtcNow().AddMilliseconds(news.Milliseconds);
        else if (!typing.Remove((news.RoomNid, news.UserId)))
            return;
        var servers = (await rooms.Get([news.RoomNid], deliveries.Routed, ct))[news.RoomNid];
        if (!Array.Exists(servers, server => server.LeftAt is null && deliveries.Holds(server.Server)))
        {
            typing.Remove((news.RoomNid, news.UserId));
            return;
        }
        if (!roomIds.TryGet(news.RoomNid, out var roomId))
        {
            roomId = (await roomStore.List([news.RoomNid], ct))[0].RoomId.ToString();
            roomIds.Set(news.RoomNid, roomId);
        }
        var content = JsonSerializer.SerializeToUtf8Bytes(new { room_id = roomId, typing = isTyping, user_id = news.UserId });
        var edu = new PlainEdu("m.typing", $"{roomId} {news.UserId}", 0, content);
        foreach (var server in servers.Where(server => server.LeftAt is null))
            deliveries.Add(server.Server, edu);
    }

    async Task Show(PresenceShown shown, CancellationToken ct)
    {
        var users = shown.Users.Where(user => user.UserId.EndsWith(suffix, StringComparison.Ordinal)).ToArray();
        await LearnSharing([.. users.Select(user => user.UserId)], ct);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var user in users)
        {
            if (!sharing.TryGet(user.UserId, out var known))
                continue;
            PresenceEdu? edu = null;
            foreach (var server in known.Servers.Where(deliveries.Holds))
                deliveries.Add(server, edu ??= new PresenceEdu(user.UserId, Push(user, now)));
        }
    }

    async Task LearnSharing(string[] users, CancellationToken ct)
    {
        string[] unknown = [.. users.Where(user => !sharing.TryGet(user, out var known) || time.GetElapsedTime(known.At) > SharingFor)];
        if (unknown.Length == 0)
            return;
        var rows = (await store.ListSharing(unknown, ct)).ToLookup(row => row.UserId, row => ServerName.Parse(row.Server), StringComparer.Ordinal);
        foreach (var user in unknown)
            sharing.Set(user, ([.. rows[user]], time.GetTimestamp()));
    }

    static byte[] Push(ShownPresence user, long now)
    {
        var output = new ArrayBufferWriter<byte>(200);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteBoolean("currently_active"u8, user.CurrentlyActive);
        if (user.LastActive > 0)
            json.WriteNumber("last_active_ago"u8, Math.Max(0, now - user.LastActive));
        // what other servers do not know is the nearest that they do
        json.WriteString("presence"u8, user.Presence is "offline" or "unavailable" ? user.Presence : "online");
        if (user.StatusMessage is { } status)
            json.WriteString("status_msg"u8, status);
        json.WriteString("user_id"u8, user.UserId);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
