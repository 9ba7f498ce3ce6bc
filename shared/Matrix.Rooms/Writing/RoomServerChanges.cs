using Matrix.Protocol;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>What a chain of events changes in how many users of which other servers are in the room: differences, exact as those of the summary's counts.</summary>
sealed class RoomServerChanges
{
    readonly SortedDictionary<string, (int Difference, int Entry)> servers = new(StringComparer.Ordinal);

    public static RoomServerChanges Of(EventChain chain)
    {
        var changes = new RoomServerChanges();
        foreach (var (i, e) in chain.Events.Index())
        {
            if (e.Merge is { } merge)
            {
                foreach (var member in merge.Members)
                    changes.Count(chain, member.Key.StateKey, merge.Find(member.Before)?.Membership, merge.Find(member.After)?.Membership, i);
            }
            else if (e.Pdu is { Type: EventTypes.Member, StateKey: { } user })
                changes.Count(chain, user, e.Replaced?.Membership, e.Pdu.Membership, i);
        }
        return changes;
    }

    /// <summary>Nothing for a room of this server's own users.</summary>
    /// <param name="back">By the index of an event.</param>
    public void AddCommands(NpgsqlBatch batch, long roomNid, Func<int, int> back)
    {
        var changed = servers.Where(server => server.Value.Difference != 0).ToArray();
        if (changed.Length == 0)
            return;
        batch.Add(
            """
            SELECT change_room_servers($1, array_agg(d.server), array_agg(d.difference), array_agg(log_position(d.back)))
            FROM unnest($2, $3, $4) AS d (server, difference, back)
            """,
            roomNid, changed.Select(server => server.Key).ToArray(), changed.Select(server => server.Value.Difference).ToArray(),
            changed.Select(server => back(server.Value.Entry)).ToArray());
    }

    void Count(EventChain chain, string user, string? before, string? after, int entry)
    {
        var difference = (after == "join" ? 1 : 0) - (before == "join" ? 1 : 0);
        if (difference == 0 || !UserId.TryParse(user, out var userId) || chain.IsLocal(userId))
            return;
        var server = userId.Server.ToString();
        servers[server] = (servers.GetValueOrDefault(server).Difference + difference, entry);
    }
}
