using System.Text.Json;
using System.Threading.Channels;
using Matrix.Federation;
using Matrix.FederationSender.Queues;
using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.FederationSender.Routing;

/// <summary>
/// What is only good at the moment: who of this server's users types and who is there, from the processes that know, and which servers are heard from. What
/// is lost on the way is said again or runs out. Read by the router, so that it goes to the servers that events go to.
/// </summary>
sealed class Ephemera(
    EphemeralChannel channel, Deliveries deliveries, DestinationDrain drain, RoomDestinations rooms, PresenceTeller presence, RoomStore roomStore, ServerSigningKey own, Caches caches,
    TimeProvider time) : IDisposable
{
    static readonly TimeSpan Sweep = TimeSpan.FromSeconds(2), PresenceSweep = TimeSpan.FromMinutes(1);

    readonly string suffix = $":{own.ServerName}";
    readonly Channel<object> inbox = Channel.CreateBounded<object>(new BoundedChannelOptions(4096) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    readonly BoundedCache<long, string> roomIds = caches.Create<long, string>("federation_room_ids", 1 << 20, (_, id) => 32 + Caches.WeightOf(id));
    readonly Dictionary<(long Room, string User), DateTimeOffset> typing = [];
    ITimer? clock;

    public void Begin(Action wake)
    {
        channel.Subscribe(message =>
        {
            if (Read(message.Span) is { } news && inbox.Writer.TryWrite(news))
                wake();
        });
        drain.CameBack += server =>
        {
            if (inbox.Writer.TryWrite(new ServerBack(server)))
                wake();
        };
        _ = AskPresence();
        clock = time.CreateTimer(_ => wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => clock?.Dispose();

    /// <summary>Shards had no holder for a while; something happened then that concerns these of their servers.</summary>
    public Task TakenOver(IReadOnlyCollection<HeldShard> shards, IReadOnlySet<ServerName> concerned, CancellationToken ct) => presence.TakenOver(shards, concerned, ct);

    /// <summary>Hands on what has come since the last time.</summary>
    public async Task Route(CancellationToken ct)
    {
        while (inbox.Reader.TryRead(out var news))
        {
            if (news is TypingNews typed)
                await Type(typed, ct);
            else if (news is PresenceShown shown)
                await presence.Show(shown, ct);
            else if (news is ServerBack back)
                await presence.Back(back.Server, ct);
            else if (news is ServerHeard heard && ServerName.TryParse(heard.Server, out var server))
                deliveries.HeardFrom(server);
        }
        await presence.Sweep(ct);
        var now = time.GetUtcNow();
        foreach (var (room, user) in typing.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToArray())
            await Type(TypingNews.Of(room, user, TimeSpan.Zero), ct);
        clock?.Change(typing.Count > 0 ? Sweep : presence.KnowsAnybody ? PresenceSweep : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // Who is there was told before this process, or its first destination, was there to hear it.
    async Task AskPresence()
    {
        await channel.Listening;
        channel.Tell(JsonSerializer.SerializeToUtf8Bytes(new PresenceNews(PresenceNews.KindName, $"sender-{Guid.NewGuid():N}", true, [])));
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

    /// <summary>A server takes what it is sent again.</summary>
    sealed record ServerBack(ServerName Server);
}
