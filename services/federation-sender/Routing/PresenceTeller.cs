using System.Buffers;
using System.Text.Json;
using Matrix.Federation;
using Matrix.FederationSender.Queues;
using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Caching;
using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Routing;

/// <summary>
/// Tells other servers who of this server's users is there: when that changes, when a server and a user come to share a room, when a server is back, and again
/// before others give the user up. For that it remembers who is there. Used by the router alone, in the order of the log.
/// </summary>
sealed class PresenceTeller(Deliveries deliveries, OutgoingEduStore store, ServerSigningKey own, Caches caches, TimeProvider time)
{
    const int MostUsers = 50_000, MostMembers = 5000;

    // Other servers give a user up of whom they have not heard for half an hour.
    static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(25), SharingFor = TimeSpan.FromMinutes(1), GoneFor = TimeSpan.FromMinutes(2), Fresh = TimeSpan.FromSeconds(30),
        SweepEvery = TimeSpan.FromMinutes(1);

    readonly string suffix = $":{own.ServerName}";
    readonly Dictionary<string, Known> users = new(StringComparer.Ordinal);
    readonly BoundedCache<string, (ServerName[] Servers, long At)> sharing = caches.Create<string, (ServerName[] Servers, long At)>(
        "federation_sharing", 8 << 20, (user, known) => Caches.WeightOf(user) + 48 + 40L * known.Servers.Length);
    readonly Dictionary<ServerName, long> newcomers = []; // and when they came
    long sweptAt = time.GetTimestamp();

    public bool KnowsAnybody => users.Count > 0;

    public async Task Show(PresenceShown shown, CancellationToken ct)
    {
        var news = shown.Users.Where(user => user.UserId.EndsWith(suffix, StringComparison.Ordinal) && !(shown.IsAgain && users.ContainsKey(user.UserId))).ToArray();
        foreach (var user in news)
        {
            if (users.Count < MostUsers || users.ContainsKey(user.UserId))
                users[user.UserId] = new Known(user, time.GetTimestamp());
        }
        // what is only said again others know already, but for those that came before this process knew of it
        await Tell(news, shown.IsAgain ? newcomers.ContainsKey : _ => true, ct);
    }

    /// <summary>What entries of the log tell a server of users who were there before: one of the two came into a room of the other.</summary>
    /// <param name="lists">The servers in the rooms of the entries.</param>
    public async ValueTask<IReadOnlyList<Told>> Read(IReadOnlyList<LogEntry> entries, Dictionary<long, RoomDestination[]> lists, CancellationToken ct)
    {
        var told = new List<Told>();
        var came = new List<(long Room, ServerName Server)>();
        foreach (var entry in entries)
        {
            if (entry.RoomNid is not { } room || !lists.TryGetValue(room, out var servers))
                continue;
            if (entry is { Kind: LogKind.Event, Key: EventTypes.Member, UserId: { } user } && user.EndsWith(suffix, StringComparison.Ordinal))
            {
                sharing.Remove(user);
                told.AddRange(servers.Where(IsThere).Select(server => Of(user, server.Server)).OfType<Told>());
            }
            else if (entry is { Kind: LogKind.Event, Key: EventTypes.Member } or { Kind: LogKind.StateMerge })
                came.AddRange(servers.Where(server => server.Since == entry.Position.Value && IsThere(server)).Select(server => (room, server.Server)));
        }
        foreach (var (_, server) in came)
            newcomers[server] = time.GetTimestamp();
        if (came.Count > 0 && users.Count > 0)
        {
            var members = (await store.ListOwnMembers([.. came.Select(server => server.Room).Distinct()], suffix, MostMembers, ct)).ToLookup(row => row.RoomNid, row => row.UserId);
            foreach (var (room, server) in came)
                told.AddRange(members[room].Select(user => Of(user, server)).OfType<Told>());
            foreach (var member in members.SelectMany(room => room))
                sharing.Remove(member);
        }
        return told;
    }

    /// <summary>A server takes what it is sent again, and was told nothing in the meantime.</summary>
    public Task Back(ServerName server, CancellationToken ct) => Tell([.. There().Take(MostMembers)], other => other == server, ct);

    /// <summary>
    /// These shards had no holder for a while, in which nobody was told of anybody: their servers hear what is new, and those who may have come into a room all.
    /// </summary>
    public async Task TakenOver(IReadOnlyCollection<HeldShard> shards, IReadOnlySet<ServerName> concerned, CancellationToken ct)
    {
        var numbers = shards.Select(shard => shard.Number).ToHashSet();
        foreach (var server in concerned.Where(server => numbers.Contains(Shard.Of(server))))
            newcomers[server] = time.GetTimestamp();
        var fresh = users.Values.Where(known => time.GetElapsedTime(known.At) < Fresh).Select(known => known.User).Take(MostMembers).ToArray();
        await Tell(fresh, server => numbers.Contains(Shard.Of(server)) && !concerned.Contains(server), ct);
        await Tell([.. There().Take(MostMembers)], server => numbers.Contains(Shard.Of(server)) && concerned.Contains(server), ct);
    }

    /// <summary>Time has passed: some are said again, and who is gone is forgotten.</summary>
    public async Task Sweep(CancellationToken ct)
    {
        if (time.GetElapsedTime(sweptAt) < SweepEvery)
            return;
        sweptAt = time.GetTimestamp();
        foreach (var (userId, known) in users.Where(user => !user.Value.IsThere && time.GetElapsedTime(user.Value.At) > GoneFor).ToArray())
            users.Remove(userId);
        foreach (var (server, at) in newcomers.Where(server => time.GetElapsedTime(server.Value) > GoneFor).ToArray())
            newcomers.Remove(server);
        var due = users.Values.Where(known => known.IsThere && time.GetElapsedTime(known.At) > SayAgain).Select(known => known.User).ToArray();
        foreach (var user in due)
            users[user.UserId] = new Known(user, time.GetTimestamp());
        await Tell(due, _ => true, ct);
    }

    IEnumerable<ShownPresence> There() => users.Values.Where(known => known.IsThere).Select(known => known.User);

    bool IsThere(RoomDestination server) => server.LeftAt is null && deliveries.Holds(server.Server);

    Told? Of(string userId, ServerName server) => users.TryGetValue(userId, out var known) && known.IsThere ? new Told(server, Edu(known.User)) : null;

    PresenceEdu Edu(ShownPresence user) => new(user.UserId, Push(user, time.GetUtcNow().ToUnixTimeMilliseconds()));

    async Task Tell(ShownPresence[] some, Func<ServerName, bool> whom, CancellationToken ct)
    {
        if (some.Length == 0)
            return;
        await LearnSharing([.. some.Select(user => user.UserId)], ct);
        foreach (var user in some)
        {
            if (!sharing.TryGet(user.UserId, out var known))
                continue;
            PresenceEdu? edu = null;
            foreach (var server in known.Servers.Where(server => deliveries.Holds(server) && whom(server)))
                deliveries.Add(server, edu ??= Edu(user));
        }
    }

    async Task LearnSharing(string[] some, CancellationToken ct)
    {
        string[] unknown = [.. some.Where(user => !sharing.TryGet(user, out var known) || time.GetElapsedTime(known.At) > SharingFor)];
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

    /// <param name="At">When it was told last.</param>
    sealed record Known(ShownPresence User, long At)
    {
        public bool IsThere => User.Presence != "offline";
    }
}
