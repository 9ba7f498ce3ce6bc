using System.Collections.Concurrent;
using System.Diagnostics;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Collects the statements that the driver sends to one database while it lives.</summary>
sealed class StatementCounter : IDisposable
{
    /// <summary>The follower's look at the log, the search index, signs of life, leases, and looks for work that is due.</summary>
    static readonly string[] OwnWork =
    [
        "FROM log", "search index", "INTO session_caches", "leases", "FROM room_updates_due", "delayed_events", "federation_lanes", "_shards",
        "EXISTS (SELECT FROM outgoing_messages)", "waiting_receipts",
    ];

    readonly ConcurrentQueue<string> statements = new();
    readonly ActivityListener listener;

    public StatementCounter(string database)
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (Tag(activity, "db.namespace", "db.name") == database && Tag(activity, "db.query.text", "db.statement") is { } sql)
                    statements.Enqueue(sql);
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    /// <summary>What was sent, without what the process does by itself every few seconds.</summary>
    public IReadOnlyList<string> Statements => [.. statements.Where(sql => !OwnWork.Any(sql.Contains))];

    public void Clear() => statements.Clear();

    public void Dispose() => listener.Dispose();

    static string? Tag(Activity activity, params string[] names) => names.Select(name => activity.GetTagItem(name) as string).FirstOrDefault(value => value is not null);
}
