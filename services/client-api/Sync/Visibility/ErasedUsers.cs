using Matrix.Replication;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>
/// Who has asked for erasure (Client-Server API, POST /account/deactivate): remembered until the log tells that somebody has. Those who were in the
/// room with them see what they sent; others see what a redaction leaves of it.
/// </summary>
sealed class ErasedUsers(AccountStore store, Caches caches)
{
    readonly BoundedCache<string, bool> known = caches.Create<string, bool>("erased_users", 2 << 20, (user, _) => Caches.WeightOf(user));
    int generation;

    public void Changed(LogEntry entry)
    {
        if (entry is not { Kind: LogKind.Profile, Key: UserErased.Key, UserId: { } user })
            return;
        Interlocked.Increment(ref generation);
        known.Remove(user);
    }

    /// <summary>Those of the users who were erased, in one query for all that are not remembered.</summary>
    public async ValueTask<HashSet<string>> Find(IEnumerable<string> users, CancellationToken ct)
    {
        var (erased, unknown) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var user in users)
        {
            if (!known.TryGet(user, out var isErased))
                unknown.Add(user);
            else if (isErased)
                erased.Add(user);
        }
        if (unknown.Count == 0)
            return erased;
        var before = Volatile.Read(ref generation);
        var found = await store.ListErased(unknown, ct);
        erased.UnionWith(found);
        unknown.ForEach(user => known.Set(user, erased.Contains(user), ref generation, before));
        return erased;
    }
}

/// <summary>Tells all processes that a user's events are from now on shown redacted to those who were not there.</summary>
sealed class UserErased(string userId) : LogChange
{
    public const string Key = "erased";

    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Profile, UserId: userId, Key: Key)];

    public override void AddCommands(Npgsql.NpgsqlBatch batch, Func<int, int> back)
    {
        // the account says it already
    }
}
