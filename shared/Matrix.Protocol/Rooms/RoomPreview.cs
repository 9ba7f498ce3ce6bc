namespace Matrix.Protocol;

/// <summary>What names a room that has no name, and what a stranger is shown of it.</summary>
public static class RoomPreview
{
    /// <summary>So many heroes are given.</summary>
    public const int MaxHeroes = 5;

    /// <summary>The types, all with the state key "", that stripped state is made of (C-S API, Stripped state).</summary>
    public static IReadOnlyList<string> StrippedStateTypes { get; } =
    [
        EventTypes.Create, EventTypes.JoinRules, EventTypes.CanonicalAlias, EventTypes.Name, EventTypes.Topic, EventTypes.Avatar,
        EventTypes.Encryption,
    ];

    /// <summary>
    /// The members after whom a room without a name is called (C-S API, /sync, <c>m.heroes</c>): the first five joined or invited ones, or if
    /// there are none the first five who left or were banned; never the reader.
    /// </summary>
    /// <param name="members">Members with their memberships, in the order of their membership events.</param>
    public static IReadOnlyList<UserId> Heroes(IEnumerable<KeyValuePair<UserId, string>> members, UserId reader)
    {
        var (present, gone) = (new List<UserId>(MaxHeroes), new List<UserId>(MaxHeroes));
        foreach (var (user, membership) in members)
        {
            if (present.Count == MaxHeroes)
                break;
            if (user == reader)
                continue;
            if (membership is "join" or "invite")
                present.Add(user);
            else if (membership is "leave" or "ban" && gone.Count < MaxHeroes)
                gone.Add(user);
        }
        return present.Count > 0 ? present : gone;
    }

    /// <summary>
    /// Servers by which a stranger may reach the room (Appendices, Routing): that of the most powerful user of level 50 or more, then
    /// those with most members. At most three, without addresses and servers that the ACL refuses.
    /// </summary>
    /// <param name="joined">The users in the room.</param>
    public static IReadOnlyList<ServerName> Via(IEnumerable<UserId> joined, PowerLevels levels, ServerAcl acl)
    {
        var population = new Dictionary<ServerName, int>();
        (long Level, string User, ServerName Server)? best = null;
        foreach (var user in joined)
        {
            var server = user.Server;
            if (server.IsIpLiteral || !acl.Allows(server))
                continue;
            population[server] = population.GetValueOrDefault(server) + 1;
            var candidate = (levels.For(user), user.ToString(), server);
            if (candidate.Item1 >= 50 && (best is null || candidate.Item1 > best.Value.Level
                || (candidate.Item1 == best.Value.Level && string.CompareOrdinal(candidate.Item2, best.Value.User) < 0)))
                best = candidate;
        }
        var byPopulation = population.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Select(entry => entry.Key);
        return best is { } chosen
            ? [chosen.Server, .. byPopulation.Where(server => server != chosen.Server).Take(2)]
            : [.. byPopulation.Take(3)];
    }
}
