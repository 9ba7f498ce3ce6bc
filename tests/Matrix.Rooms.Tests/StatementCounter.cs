using System.Collections.Concurrent;
using System.Diagnostics;

namespace Matrix.Rooms.Tests;

/// <summary>Counts what one database is asked, but for the follower's own look at the log.</summary>
sealed class StatementCounter : IDisposable
{
    readonly ConcurrentQueue<string> statements = new();
    readonly ActivityListener listener;

    public StatementCounter(string database)
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.TagObjects.Any(tag => tag.Value as string == database) && activity.GetTagItem("db.query.text") is string sql)
                    statements.Enqueue(sql);
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    public int Writes => statements.Count(sql => sql.Contains("log_begin", StringComparison.Ordinal));

    public List<string> Others =>
        [.. statements.Where(sql => !sql.Contains("log_begin", StringComparison.Ordinal) && !sql.Contains("FROM log", StringComparison.Ordinal))];

    public void Dispose() => listener.Dispose();
}
