using System.Text.Json.Serialization;

namespace Matrix.Replication;

/// <summary>
/// Announces a commit: the entries with positions <c>From+1 … To</c>, without those that were skipped. A fact: it may be lost, repeated, late or out of
/// order, and followers that miss it read the entries from Postgres.
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
            if (Entries is null || Entries.Count == 0)
                return false;
            var at = From;
            foreach (var entry in Entries)
            {
                if (entry.Follows != at)
                    return false;
                at = entry.Position;
            }
            return at == To;
        }
    }
}
