using Matrix.Replication;
using Npgsql;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>Several changes that are committed together or not at all.</summary>
sealed class LogChanges(IReadOnlyList<LogChange> changes) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [.. changes.SelectMany(change => change.Entries)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        var before = 0;
        foreach (var change in changes)
        {
            var first = before;
            change.AddCommands(batch, entry => back(first + entry));
            before += change.Entries.Count;
        }
    }
}
