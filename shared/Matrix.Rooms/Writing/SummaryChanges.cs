using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>
/// What a chain of events changes in the room's summary. Counts are differences: they are exact because the head's version guarantees the state that they
/// were taken from.
/// </summary>
sealed class SummaryChanges
{
    readonly SortedDictionary<string, string?> columns = new(StringComparer.Ordinal);
    int joined;
    int invited;

    public static SummaryChanges Of(EventChain chain)
    {
        var changes = new SummaryChanges();
        foreach (var e in chain.Events)
        {
            if (e.Merge is { } merge)
            {
                changes.Take(merge);
                continue;
            }
            // redaction leaves nothing of these, and everything that counts of the others
            if (e.Blanks is { StateKey: "" } blank && Column(blank.Type) is ({ } blanked, _) && !SurvivesRedaction(blank.Type))
                changes.columns[blanked] = null;
            if (e.Pdu.Type == EventTypes.Member && e.Pdu.StateKey is not null)
                changes.Count(e.Replaced?.Membership, e.Pdu.Membership);
            else if (e.Pdu.StateKey is "" && Column(e.Pdu.Type) is var (column, member))
                changes.columns[column] = String(e.Pdu.Content, member);
        }
        return changes;
    }

    /// <summary>The places whose content the summary keeps, apart from memberships.</summary>
    public static IReadOnlyList<StateKeyPair> Kept { get; } =
    [
        .. new[]
        {
            EventTypes.Create, EventTypes.Name, EventTypes.Topic, EventTypes.Avatar, EventTypes.CanonicalAlias, EventTypes.JoinRules, EventTypes.GuestAccess,
            EventTypes.HistoryVisibility, EventTypes.Encryption,
        }.Select(type => new StateKeyPair(type, "")),
    ];

    /// <summary>Does the summary keep what stands at this place, apart from memberships?</summary>
    public static bool Keeps(StateKeyPair key) => key.StateKey.Length == 0 && Column(key.Type) is not null;

    void Take(StateMerge merge)
    {
        if (merge.Counts is var (joins, invites))
            (joined, invited) = (joined + joins, invited + invites);
        foreach (var member in merge.Counts is null ? merge.Members : [])
            Count(merge.Find(member.Before)?.Membership, merge.Find(member.After)?.Membership);
        foreach (var (key, _, after) in merge.Differences)
        {
            if (Keeps(key) && Column(key.Type) is var (column, member))
                columns[column] = merge.Find(after) is { } pdu && (!merge.IsRedacted(after) || SurvivesRedaction(key.Type)) ? String(pdu.Content, member) : null;
        }
    }

    static bool SurvivesRedaction(string type) => type is EventTypes.Create or EventTypes.JoinRules or EventTypes.HistoryVisibility;

    /// <summary>Nothing if nothing changes: a message does not touch the summary.</summary>
    public void AddUpdate(NpgsqlBatch batch, long roomNid)
    {
        if (columns.Count == 0 && joined == 0 && invited == 0)
            return;
        var set = string.Concat(columns.Keys.Select((column, i) => $", {column} = ${i + 4}"));
        batch.Add($"UPDATE room_summaries SET joined_count = joined_count + $2, invited_count = invited_count + $3{set} WHERE room_nid = $1",
            [roomNid, joined, invited, .. columns.Values]);
    }

    public void AddInsert(NpgsqlBatch batch, long roomNid, bool published)
    {
        var names = string.Concat(columns.Keys.Select(column => $", {column}"));
        var values = string.Concat(columns.Keys.Select((_, i) => $", ${i + 5}"));
        batch.Add($"INSERT INTO room_summaries (room_nid, published, joined_count, invited_count{names}) VALUES ($1, $2, $3, $4{values})",
            [roomNid, published, joined, invited, .. columns.Values]);
    }

    void Count(string? before, string? after)
    {
        joined += (after == "join" ? 1 : 0) - (before == "join" ? 1 : 0);
        invited += (after == "invite" ? 1 : 0) - (before == "invite" ? 1 : 0);
    }

    static (string Column, string Member)? Column(string type) => type switch
    {
        EventTypes.Create => ("room_type", "type"),
        EventTypes.Name => ("name", "name"),
        EventTypes.Topic => ("topic", "topic"),
        EventTypes.Avatar => ("avatar_url", "url"),
        EventTypes.CanonicalAlias => ("canonical_alias", "alias"),
        EventTypes.JoinRules => ("join_rule", "join_rule"),
        EventTypes.GuestAccess => ("guest_access", "guest_access"),
        EventTypes.HistoryVisibility => ("history_visibility", "history_visibility"),
        EventTypes.Encryption => ("encryption", "algorithm"),
        _ => null,
    };

    /// <summary>Null if it is empty or no text.</summary>
    static string? String(JsonElement content, string member) =>
        content.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString().Storable() is { Length: > 0 } text ? text : null;
}
