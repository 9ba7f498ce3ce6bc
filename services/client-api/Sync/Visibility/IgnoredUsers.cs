using System.Collections.Frozen;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>Whom a user ignores (Client-Server API, "Ignoring Users"), until the log tells of a change of the list.</summary>
sealed class IgnoredUsers(AccountDataStore store, Caches caches)
{
    const string Type = "m.ignored_user_list";

    readonly BoundedCache<string, FrozenSet<string>> lists = caches.Create<string, FrozenSet<string>>(
        "ignored_users", 4 << 20, (user, ignored) => Caches.WeightOf(user) + 100 + (100 * ignored.Count));
    int generation;

    public void Changed(LogEntry entry)
    {
        if (entry is not { Kind: LogKind.AccountData, Key: Type, UserId: { } user })
            return;
        Interlocked.Increment(ref generation);
        lists.Remove(user);
    }

    public async ValueTask<FrozenSet<string>> Get(string userId, CancellationToken ct)
    {
        if (lists.TryGet(userId, out var known))
            return known;
        var before = Volatile.Read(ref generation);
        var ignored = Read(await store.FindGlobal(UserId.Parse(userId), Type, ct), userId);
        lists.Set(userId, ignored, ref generation, before);
        return ignored;
    }

    // Nobody ignores themselves.
    static FrozenSet<string> Read(string? content, string userId)
    {
        if (content is null)
            return [];
        using var json = JsonDocument.Parse(content);
        return json.RootElement.TryGetProperty("ignored_users", out var users) && users.ValueKind == JsonValueKind.Object
            ? users.EnumerateObject().Select(user => user.Name).Where(user => user != userId).ToFrozenSet(StringComparer.Ordinal)
            : [];
    }
}
