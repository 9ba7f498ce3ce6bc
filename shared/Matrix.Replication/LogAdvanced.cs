namespace Matrix.Replication;

/// <summary>
/// Announces a commit: the entries with positions <c>From+1 … To</c>. A fact: it may be lost, repeated, late or out of order,
/// and followers that miss it read the entries from Postgres.
/// </summary>
public sealed record LogAdvanced(LogPosition From, LogPosition To, IReadOnlyList<LogEntry> Entries);
