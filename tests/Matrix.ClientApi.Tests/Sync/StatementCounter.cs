using System.Collections.Concurrent;
using System.Diagnostics;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Collects the statements that the driver sends to one database while it lives.</summary>
sealed class StatementCounter : IDisposable
{
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

    /// <summary>What was sent, without what the process does by itself every few seconds: the follower's look at the log, the search index, and its signs of life.</summary>
    public IReadOnlyList<string> Statements =>
        [.. statements.Where(sql => !sql.Contains("FROM log") && !sql.Contains("search index") && !sql.Contains("INTO session_caches") && !sql.Contains("leases")
            && !sql.Contains("FROM room_updates_due") && !sql.Contains("delayed_events") && !sql.Contains("federation_lanes") && !sql.Contains("_shards") && !sql.Contains("EXISTS (SELECT FROM outgoing_messages)"))];

    public void Clear() => statements.Clear();

    public void Dispose() => listener.Dispose();

    static string? Tag(Activity activity, params string[] names) => names.Select(name => activity.GetTagItem(name) as string).FirstOrDefault(value => value is not null);
}
