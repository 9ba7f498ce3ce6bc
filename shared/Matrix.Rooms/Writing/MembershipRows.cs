using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>What a chain of events makes of memberships: by member events, and by the differences that merges of branches leave.</summary>
sealed class MembershipRows
{
    readonly long roomNid;
    readonly int merges;
    readonly Dictionary<string, Row> rows = new(StringComparer.Ordinal);

    public MembershipRows(EventChain chain)
    {
        roomNid = chain.Room.RoomNid;
        merges = chain.Events.Count(e => e.Merge is not null);
        for (var i = 0; i < chain.Events.Count; i++)
        {
            var e = chain.Events[i];
            if (e.Merge is { } merge)
                Take(merge, i, chain);
            else if (e.Pdu is { Type: EventTypes.Member, StateKey: { } user })
                rows[user] = new Row(user, e.Pdu, e.EventNid, e.Pdu.Membership ?? "leave", i); // the last one counts
        }
    }

    /// <summary>Users of this server whom a merge gave another membership, in the order of their log entries.</summary>
    public List<Merged> Merged { get; } = [];

    public IEnumerable<LogEntryDraft> Entries => Merged.Select(m => new LogEntryDraft(
        LogKind.Membership, roomNid, m.UserId, null, m.EventNid ?? 0, m.Membership));

    public void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        if (rows.Count == 0)
            return;
        var sorted = rows.Values.OrderBy(row => row.UserId, StringComparer.Ordinal).ToArray();
        batch.Add(
            """
            INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
            SELECT $1, m.user_id, m.membership, m.event_nid, m.sender, log_position(m.back), m.display_name, m.avatar_url
            FROM unnest($2, $3, $4, $5, $6, $7, $8) AS m (user_id, membership, event_nid, sender, back, display_name, avatar_url)
            ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
            """,
            roomNid, sorted.Select(row => row.UserId).ToArray(), sorted.Select(row => row.Membership).ToArray(),
            sorted.Select(row => row.EventNid).ToArray(), sorted.Select(row => row.Pdu.Sender.ToString()).ToArray(),
            sorted.Select(row => back(row.Entry)).ToArray(), sorted.Select(row => row.Text("displayname"u8)).ToArray(),
            sorted.Select(row => row.Text("avatar_url"u8)).ToArray());
        if (Merged.Count == 0)
            return;
        batch.Add(
            """
            INSERT INTO membership_merges (user_id, position, room_nid, event_nid, membership, was)
            SELECT m.user_id, log_position(m.back), $1, m.event_nid, m.membership, m.was
            FROM unnest($2, $3, $4, $5, $6) AS m (user_id, back, event_nid, membership, was)
            """,
            roomNid, Merged.Select(m => m.UserId).ToArray(), Merged.Select(m => back(m.Entry)).ToArray(), Merged.Select(m => m.EventNid).ToArray(),
            Merged.Select(m => m.Membership).ToArray(), Merged.Select(m => m.Was).ToArray());
    }

    void Take(StateMerge merge, int entry, EventChain chain)
    {
        foreach (var (key, before, after) in merge.Members)
        {
            // where nothing stands any more, what stood there last is named
            if ((merge.Find(after) ?? merge.Find(before)) is not { } pdu)
                continue;
            var membership = after is null ? "leave" : pdu.Membership ?? "leave";
            var place = entry;
            if (UserId.TryParse(key.StateKey, out var user) && chain.IsLocal(user))
            {
                place = chain.Events.Count + merges + Merged.Count;
                Merged.Add(new Merged(key.StateKey, after, membership, merge.Find(before)?.Membership ?? "leave", place));
            }
            rows[key.StateKey] = new Row(key.StateKey, pdu, after ?? before!.Value, membership, place, after is null || merge.IsRedacted(after));
        }
    }

    /// <param name="Entry">The index of the log entry that tells of it.</param>
    readonly record struct Row(string UserId, Pdu Pdu, long EventNid, string Membership, int Entry, bool IsBlank = false)
    {
        public string? Text(ReadOnlySpan<byte> name) => IsBlank ? null : Pdu.ContentString(name).Storable();
    }
}

/// <summary>What a merge made of a user's membership.</summary>
/// <param name="EventNid">The member event that stands now, if one does.</param>
/// <param name="Entry">The index of its log entry.</param>
readonly record struct Merged(string UserId, long? EventNid, string Membership, string Was, int Entry);
