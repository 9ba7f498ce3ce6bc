using System.Text.Json;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>
/// Which events of a room a user may see, by the state at each event (Client-Server API, "Room History Visibility"): the one rule for sync, history,
/// relations and search. All states that a page needs are looked up together.
/// </summary>
sealed class VisibilityFilter(StateTree states, EventCache events, IgnoredUsers ignoredUsers, ErasedUsers erasedUsers)
{
    readonly record struct Rules(HistoryVisibilityValue Visibility, string? Membership);

    /// <summary>The events of a room as the user is shown them: those that the user may see and that are not by somebody the user ignores.</summary>
    /// <param name="sight">Null: the user was in the room when these events were sent.</param>
    public async ValueTask<IReadOnlyList<EncodedEvent>> Filter(IReadOnlyList<EncodedEvent> candidates, string userId, Sight? sight, CancellationToken ct)
    {
        if (candidates.Count == 0)
            return candidates;
        var ignored = await ignoredUsers.Get(userId, ct);
        if (ignored.Count > 0 && candidates.Any(e => !e.IsState && ignored.Contains(e.Sender)))
            candidates = [.. candidates.Where(e => e.IsState || !ignored.Contains(e.Sender))];
        return sight is null ? candidates : await FilterWithIgnored(candidates, sight, ct);
    }

    /// <summary>The events that the user may see, those by ignored users among them.</summary>
    public async ValueTask<IReadOnlyList<EncodedEvent>> FilterWithIgnored(IReadOnlyList<EncodedEvent> candidates, Sight sight, CancellationToken ct)
    {
        if (!sight.SeesAll && candidates.Count > 0)
            candidates = await FilterHidden(candidates, sight, ct);
        return await Erase(candidates, sight, ct);
    }

    async ValueTask<IReadOnlyList<EncodedEvent>> FilterHidden(IReadOnlyList<EncodedEvent> candidates, Sight sight, CancellationToken ct)
    {
        var known = await Read([.. candidates.Select(e => e.StateBefore).OfType<StateNodeId>().Distinct()], sight.UserId, ct);
        return [.. candidates.Where(e => e.StateBefore is { } root && CanSee(e, known[root], sight))];
    }

    async ValueTask<IReadOnlyList<EncodedEvent>> Erase(IReadOnlyList<EncodedEvent> candidates, Sight sight, CancellationToken ct)
    {
        HashSet<string>? strangers = null;
        foreach (var e in candidates)
        {
            if (e.Position is { } position && !sight.WasIn(position) && !e.IsMembershipOf(sight.UserId))
                (strangers ??= new HashSet<string>(StringComparer.Ordinal)).Add(e.Sender);
        }
        if (strangers is null || await erasedUsers.Find(strangers, ct) is not { Count: > 0 } erased)
            return candidates;
        return [.. candidates.Select(e => erased.Contains(e.Sender) && !sight.WasIn(e.Position ?? 0) ? e.Redact() : e)];
    }

    /// <summary>The user's membership in a state.</summary>
    public async ValueTask<string> FindMembership(StateNodeId root, string userId, CancellationToken ct) =>
        (await Read([root], userId, ct))[root].Membership ?? "leave";

    /// <summary>
    /// May a user see an event that changes the visibility, or (<paramref name="own"/>) the user's membership? It counts as both what was before and
    /// what is after it. That one was invited, let go or banned one is told in any case.
    /// </summary>
    public static bool CanSeeChange(
        HistoryVisibilityValue visibility, string? membership, HistoryVisibilityValue visibilityAfter, string? membershipAfter, bool own, bool joinedSince) =>
        HistoryVisibility.CanSee(visibility, membership, joinedSince) || HistoryVisibility.CanSee(visibilityAfter, membershipAfter, joinedSince)
        || (own && membershipAfter is "leave" or "ban" or "invite");

    static bool CanSee(EncodedEvent e, Rules before, Sight sight)
    {
        var joinedSince = e.Position <= sight.StayEnd;
        if (e.IsMembershipOf(sight.UserId))
            return CanSeeChange(before.Visibility, before.Membership, before.Visibility, e.Membership, true, joinedSince);
        if (e is { Type: EventTypes.HistoryVisibility, StateKey: "" })
            return CanSeeChange(before.Visibility, before.Membership, VisibilityIn(e), before.Membership, false, joinedSince);
        return HistoryVisibility.CanSee(before.Visibility, before.Membership, joinedSince);
    }

    async ValueTask<Dictionary<StateNodeId, Rules>> Read(IReadOnlyList<StateNodeId> roots, string userId, CancellationToken ct)
    {
        var (visibility, member) = (new StateKeyPair(EventTypes.HistoryVisibility, ""), new StateKeyPair(EventTypes.Member, userId));
        var found = await states.Find([.. roots.SelectMany(root => new[] { (root, visibility), (root, member) })], ct);
        var batch = new EventBatch();
        await events.Load(batch, [.. found.OfType<long>().Distinct()], ct);
        var rules = new Dictionary<StateNodeId, Rules>(roots.Count);
        for (var i = 0; i < roots.Count; i++)
        {
            var (v, m) = (found[2 * i], found[2 * i + 1]);
            rules[roots[i]] = new Rules(
                v is { } setting && batch.Find(setting) is { } e ? VisibilityIn(e) : HistoryVisibilityValue.Shared,
                m is { } membership ? batch.Find(membership)?.Membership : null);
        }
        return rules;
    }

    static HistoryVisibilityValue VisibilityIn(EncodedEvent e)
    {
        var content = JsonElement.Parse(e.Content.Span);
        return HistoryVisibility.Parse(
            content.TryGetProperty("history_visibility", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null);
    }
}
