using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A pattern of state events. Null matches anything.</summary>
readonly record struct StatePattern(string? Type, string? StateKey)
{
    /// <summary>Everything that the other matches.</summary>
    public bool Covers(StatePattern other) => (Type is null || Type == other.Type) && (StateKey is null || StateKey == other.StateKey);

    public bool Matches(string type, string stateKey) => (Type is null || Type == type) && (StateKey is null || StateKey == stateKey);

    public int CompareTo(StatePattern other) =>
        string.CompareOrdinal(Type, other.Type) is var byType and not 0 ? byType : string.CompareOrdinal(StateKey, other.StateKey);
}

/// <summary>One required_state of a request: what it includes, but not what it excludes; members lazily if so asked.</summary>
sealed record StateClause(IReadOnlyList<StatePattern> Include, IReadOnlyList<StatePattern> Exclude, bool Lazy)
{
    readonly HashSet<StatePattern> exact = [.. Include.Where(pattern => pattern is { Type: not null, StateKey: not null })];
    readonly HashSet<string> types = [.. Include.Where(pattern => pattern is { Type: not null, StateKey: null }).Select(pattern => pattern.Type!)];
    readonly StatePattern[] open = [.. Include.Where(pattern => pattern.Type is null)];

    /// <summary>Patterns that match no more than one event each.</summary>
    public IEnumerable<StatePattern> Exact => exact;

    public bool IsExact => types.Count == 0 && open.Length == 0;

    public bool HasAllMembers => (types.Contains(EventTypes.Member) || (!Lazy && open.Any(pattern => pattern.StateKey is null))) && Exclude.Count == 0;

    public bool Matches(string type, string stateKey) =>
        (exact.Contains(new StatePattern(type, stateKey)) || types.Contains(type) || open.Any(pattern => Opens(pattern, type, stateKey)))
        && !Exclude.Any(pattern => pattern.Matches(type, stateKey));

    public bool Covers(StateClause other) => (Lazy || !other.Lazy || HasAllMembers)
        && Exclude.All(pattern => other.Exclude.Any(excluded => excluded.Covers(pattern)))
        && other.Include.All(wanted => exact.Contains(wanted) || Include.Any(pattern => pattern.Covers(wanted) && KeepsMembers(pattern, wanted, other)));

    // Lazily loaded members are not meant by a pattern for all types.
    bool Opens(StatePattern pattern, string type, string stateKey) =>
        pattern.Matches(type, stateKey) && (!Lazy || type != EventTypes.Member || pattern.StateKey is not null);

    bool KeepsMembers(StatePattern pattern, StatePattern wanted, StateClause other) =>
        !Lazy || pattern.Type is not null || pattern.StateKey is not null || (wanted.Type is null ? other.Lazy : wanted.Type != EventTypes.Member);
}

/// <summary>
/// Which of a room's state a client follows: the union of what the lists and subscriptions that it matches ask for. Compared by
/// <see cref="Text"/>, which is also how it is stored.
/// </summary>
sealed class RequiredState
{
    public static readonly RequiredState Nothing = new([]);

    RequiredState(IReadOnlyList<StateClause> clauses)
    {
        Clauses = clauses;
        AllMembers = clauses.Any(clause => clause.HasAllMembers);
        Lazy = !AllMembers && clauses.Any(clause => clause.Lazy);
        IsExact = clauses.All(clause => clause.IsExact);
        Text = JsonSerializer.Serialize(clauses.Select(clause => new Stored(Pairs(clause.Include), Pairs(clause.Exclude), clause.Lazy)));
    }

    public IReadOnlyList<StateClause> Clauses { get; }

    /// <summary>Members are wanted as far as the timeline shows them.</summary>
    public bool Lazy { get; }

    public bool AllMembers { get; }

    /// <summary>Nothing but single events by type and state key.</summary>
    public bool IsExact { get; }

    public string Text { get; }

    public static RequiredState Of(StateClause clause) => new([Normal(clause)]);

    public static RequiredState Parse(string text) =>
        new([.. JsonSerializer.Deserialize<Stored[]>(text)!.Select(stored => new StateClause(Patterns(stored.Include), Patterns(stored.Exclude), stored.Lazy))]);

    public bool Matches(string type, string stateKey)
    {
        foreach (var clause in Clauses)
        {
            if (clause.Matches(type, stateKey))
                return true;
        }
        return false;
    }

    public bool Covers(RequiredState other) =>
        ReferenceEquals(this, other) || Text == other.Text || other.Clauses.All(wanted => Clauses.Any(clause => clause.Covers(wanted)));

    /// <summary>What either asks for.</summary>
    public RequiredState Union(RequiredState other)
    {
        if (Covers(other))
            return this;
        if (other.Covers(this))
            return other;
        // Clauses that exclude nothing make one, as long as they mean the same by a pattern for all types.
        var rest = Clauses.Concat(other.Clauses).Distinct().ToList();
        var plain = rest.Where(clause => clause.Exclude.Count == 0 && (clause.Lazy || clause.Include.All(pattern => pattern.Type is not null))).ToList();
        if (plain.Count > 1)
        {
            rest.RemoveAll(plain.Contains);
            rest.Add(Normal(new StateClause([.. plain.SelectMany(clause => clause.Include)], [], plain.Any(clause => clause.Lazy))));
        }
        return new RequiredState(rest);
    }

    static StateClause Normal(StateClause clause)
    {
        var include = clause.Include.Distinct().ToList();
        include.Sort((a, b) => a.CompareTo(b));
        return clause with { Include = include };
    }

    static string?[][] Pairs(IReadOnlyList<StatePattern> patterns) => [.. patterns.Select(pattern => new[] { pattern.Type, pattern.StateKey })];

    static StatePattern[] Patterns(string?[][] pairs) => [.. pairs.Select(pair => new StatePattern(pair[0], pair[1]))];

    sealed record Stored(string?[][] Include, string?[][] Exclude, bool Lazy);
}
