using System.Text;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>Users' push rules: the predefined ones with what the user changed of them, and the user's own. Stored as the account data
/// <c>m.push_rules</c>, which is how other devices learn of a change.</summary>
sealed class PushRulesets(AccountDataStore store, PushRuleChanges changes, Caches caches)
{
    // every event in every room of the user is held against them
    const int Largest = 256 * 1024, MostRules = 1000;

    static readonly string[] Kinds = ["override", "content", "postcontent", "room", "sender", "underride"];

    // What is shown of rules that were stored at a position never changes.
    readonly BoundedCache<(UserId User, long Position), string> shown = caches.Create<(UserId User, long Position), string>(
        "push_rules_shown", 4 << 20, (key, content) => 40 + Caches.WeightOf(key.User.ToString()) + Caches.WeightOf(content));

    public async Task<PushRuleset> Get(UserId userId, CancellationToken ct) => Read(userId, await store.FindPushRules(userId, ct));

    /// <summary>Changes the rules; tries again when another device changed them meanwhile.</summary>
    public async Task Change(UserId userId, Func<PushRuleset, PushRuleset> change, CancellationToken ct)
    {
        while (true)
        {
            var stored = await store.FindPushRules(userId, ct);
            var changed = change(Read(userId, stored));
            // those about threads are stored once somebody wanted them: until then they are turned on by whoever subscribes to a thread
            var content = Content(KnowsThreads(stored) || changed.PostContent.Any(rule => rule.Enabled) ? changed : changed with { PostContent = [] });
            if (content.Length > Largest || Kinds.Sum(kind => changed.OfKind(kind)?.Count(rule => !rule.Default)) > MostRules) throw MatrixException.TooLarge("There are too many push rules.");
            try
            {
                await changes.Set(userId, content, stored?.Position ?? 0, ct);
                return;
            }
            catch (HeadMovedException)
            {
                // another device was first
            }
        }
    }

    /// <summary>What is shown as account data of the rules: all of them, those of every user with what is stored over them.</summary>
    public AccountDataItem Show(UserId userId, AccountDataItem? stored)
    {
        var position = stored?.Position ?? 0;
        if (!shown.TryGet((userId, position), out var content))
            shown.Set((userId, position), content = Content(Read(userId, stored is null ? null : new StoredPushRules(stored.Content, position))));
        return new AccountDataItem("", EventTypes.PushRules, content, position);
    }

    static string Content(PushRuleset ruleset) => $$"""{"global":{{Encoding.UTF8.GetString(ruleset.ToJson())}}}""";

    static bool KnowsThreads(StoredPushRules? stored) => stored is not null && JsonElement.Parse(stored.Content).TryGetProperty("global", out var global)
        && global.TryGetProperty("postcontent", out var rules) && rules.GetArrayLength() > 0;

    static PushRuleset Read(UserId userId, StoredPushRules? stored)
    {
        if (stored is null || !JsonElement.Parse(stored.Content).TryGetProperty("global", out var global)) return PushRuleset.Default(userId);
        return PushRuleset.Compose(userId, PushRuleset.Parse(Encoding.UTF8.GetBytes(global.GetRawText())));
    }
}
