using System.Diagnostics;

namespace Matrix.Replication;

/// <summary>
/// Keeps a traced request's trace together where it changes hands: from the caller to the writer, which commits for many, and to the announcer, which tells the other
/// processes. A commit or a message for several traced requests belongs to the first's trace and refers to the others.
/// </summary>
static class LogTracing
{
    static readonly ActivitySource s_source = new("Matrix.Replication");

    /// <summary>Where the caller is, if it is traced.</summary>
    public static ActivityContext Here => Activity.Current is { Recorded: true } current ? current.Context : default;

    public static Activity? Commit(IReadOnlyList<PendingChange> changes)
    {
        if (!s_source.HasListeners())
            return null;
        var callers = changes.Select(change => change.Caller).Where(IsTraced).Distinct().ToList();
        return callers.Count == 0 ? null : s_source.StartActivity("log commit", ActivityKind.Internal, callers[0],
            [new("matrix.log.changes", changes.Count)], callers.Skip(1).Select(caller => new ActivityLink(caller)));
    }

    public static Activity? Announce(ActivityContext committed) =>
        IsTraced(committed) ? s_source.StartActivity("log announce", ActivityKind.Internal, committed) : null;

    public static bool IsTraced(ActivityContext context) => context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
}
