using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// Users' push rules, and whom they ignore, kept until the log tells of a change. Also remembers who changed theirs lately, for those who keep something that was made of
/// rules.
/// </summary>
public sealed class PushRuleCache : IDisposable
{
    const int MaxChanges = 1000;

    readonly BoundedCache<string, Known> known;
    readonly UnreadStore store;
    readonly IDisposable subscription;
    readonly Lock gate = new();
    readonly Queue<string> changed = new();
    long changes;

    public PushRuleCache(UnreadStore store, LogFollower log, Caches caches)
    {
        this.store = store;
        known = caches.Create<string, Known>("push_rules", 16 << 20, (user, rules) => Caches.WeightOf(user) + (rules.Rules?.Weight ?? 0));
        subscription = log.Subscribe(Apply);
    }

    /// <summary>How often somebody's rules have changed.</summary>
    public long Changes => Volatile.Read(ref changes);

    /// <summary>Who changed rules since there were so many changes, and how many there are by now; null: too many to remember.</summary>
    public (IReadOnlyList<string> Users, long Changes)? ChangedSince(long seen)
    {
        if (Changes == seen)
            return ([], seen);
        lock (gate)
            return changes - seen > changed.Count ? null : ([.. changed.Skip(changed.Count - (int)(changes - seen)).Distinct()], changes);
    }

    /// <summary>The users' rules, in the same order; null for those who have the ordinary ones. One round trip for all that are not known.</summary>
    public async ValueTask<UserPushRules?[]> Get(IReadOnlyList<string> userIds, CancellationToken ct)
    {
        var rules = new UserPushRules?[userIds.Count];
        List<string>? missing = null;
        for (var i = 0; i < rules.Length; i++)
        {
            if (known.TryGet(userIds[i], out var found))
                rules[i] = found.Rules;
            else
                (missing ??= []).Add(userIds[i]);
        }
        if (missing is null)
            return rules;
        var loaded = await Load(missing, ct);
        for (var i = 0; i < rules.Length; i++)
            rules[i] ??= loaded.GetValueOrDefault(userIds[i]);
        return rules;
    }

    public void Dispose() => subscription.Dispose();

    async Task<Dictionary<string, UserPushRules?>> Load(List<string> userIds, CancellationToken ct)
    {
        var before = Changes;
        var stored = (await store.ListRules(userIds, ct)).ToDictionary(row => (row.UserId, row.Type), row => row.Content);
        var loaded = new Dictionary<string, UserPushRules?>();
        foreach (var userId in userIds)
        {
            var rules = UserPushRules.Read(
                UserId.Parse(userId), stored.GetValueOrDefault((userId, EventTypes.PushRules)), stored.GetValueOrDefault((userId, EventTypes.IgnoredUserList)));
            loaded[userId] = rules;
            lock (gate)
            {
                if (changes == before)
                    known.Set(userId, new Known(rules));
            }
        }
        return loaded;
    }

    void Apply(IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry is not ({ Kind: LogKind.PushRules } or { Kind: LogKind.AccountData, Key: EventTypes.IgnoredUserList }) || entry.UserId is not { } userId)
                continue;
            lock (gate)
            {
                known.Remove(userId);
                changed.Enqueue(userId);
                if (changed.Count > MaxChanges)
                    changed.Dequeue();
                changes++;
            }
        }
    }

    sealed record Known(UserPushRules? Rules);
}
