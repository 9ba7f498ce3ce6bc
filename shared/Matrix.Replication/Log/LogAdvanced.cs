using System.Text.Json.Serialization;

namespace Matrix.Replication;

/// <summary>
/// Announces a commit: the entries with positions <c>From+1 … To</c>. A fact: it may be lost, repeated, late or out of order,
/// and followers that miss it read the entries from Postgres.
/// </summary>
/// <param name="Entries">All of them, or none when they are too many for a message.</param>
public sealed record LogAdvanced(LogPosition From, LogPosition To, IReadOnlyList<LogEntry> Entries)
{
    /// <summary>Are the entries exactly those of the range? Otherwise the message only says how far the log is.</summary>
    [JsonIgnore]
    public bool IsWhole
    {
        get
        {
            if (Entries is null || Entries.Count == 0 || Entries.Count != To.Value - From.Value)
                return false;
            for (var i = 0; i < Entries.Count; i++)
            {
                if (Entries[i].Position.Value != From.Value + 1 + i)
                    return false;
            }
            return true;
        }
    }
}
