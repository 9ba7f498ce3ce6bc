using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Unread;

namespace Matrix.ClientApi.Threads;

/// <summary>
/// Turns on the push rules about threads of users whose clients subscribe to them, once: for all others they would only keep messages in threads silent.
/// Whoever turns them off again keeps them off.
/// </summary>
sealed class ThreadRules(PushRuleCache known, PushRulesets rulesets)
{
    static readonly string[] Ids = [PushRuleset.UnsubscribedThread, PushRuleset.SubscribedThread];

    public async ValueTask TurnOn(UserId userId, CancellationToken ct)
    {
        if ((await known.Get([userId.ToString()], ct))[0] is { KnowsThreads: true })
            return;
        try
        {
            await rulesets.Change(userId, ruleset => Ids.Aggregate(ruleset, TurnOn), ct);
        }
        catch (MatrixException e) when (e.Status == 413)
        {
            // whoever has as many rules as may be does without these: it is no reason to refuse a sync
        }
    }

    static PushRuleset TurnOn(PushRuleset ruleset, string id) => ruleset.Replace("postcontent", id, rule => rule with { Enabled = true });
}
