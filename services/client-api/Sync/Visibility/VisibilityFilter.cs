using System.Text.Json;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Sync.Visibility;

/// <summary>
/// Which events of a room a user may see, by the state at each event (Client-Server API, "Room History Visibility"): the one rule for sync, history,
/// relations and search. All states that a page needs are looked up together.
/// </summary>
sealed class VisibilityFilter(StateTree states, EventCache events)
{
    readonly record struct Rules(HistoryVisibilityValue Visibility, string? Membership);

    /// <summary>The events that the user may see.</summary>
    public async ValueTask<IReadOnlyList<EncodedEvent>> Filter(IReadOnlyList<EncodedEvent> candidates, Sight sight, CancellationToken ct)
    {
        if (sight.SeesAll || candidates.Count == 0)
            return candidates;
        var known = await Read([.. candidates.Select(e => e.StateBefore).OfType<StateNodeId>().Distinct()], sight.UserId, ct);
        return [.. candidates.Where(e => e.StateBefore is { } root && CanSee(e, known[root], sight))];
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
