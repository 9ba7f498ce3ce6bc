using Npgsql;

namespace Matrix.Replication;

/// <summary>
/// A durable change that takes one or more positions of the log. The log writer commits many together; either all commands
/// of a change are committed with its entries, or none is and appending it throws.
/// </summary>
public abstract class LogChange
{
    /// <summary>The entries it takes positions for, in this order. At least one.</summary>
    public abstract IReadOnlyList<LogEntryDraft> Entries { get; }

    /// <summary>
    /// How many positions are left free right before its first entry; nothing else ever takes them. A change that leaves some is the first of its batch, so
    /// that no entry stands between them and it.
    /// </summary>
    public virtual long Skips => 0;

    /// <summary>
    /// Adds the SQL that makes the change, run inside the log's lock and the batch's transaction. A command gets the position of
    /// the change's i-th entry from the SQL function <c>log_position(@back)</c>, where back is <paramref name="back"/>(i).
    /// Called again, on a new batch, when the batch has to be split or retried: it must not change this object.
    /// </summary>
    public abstract void AddCommands(NpgsqlBatch batch, Func<int, int> back);

    /// <summary>Do its commands return rows that it needs?</summary>
    public virtual bool ReadsRows => false;

    /// <summary>
    /// Takes the rows that one of its commands returned: called for each command that returns any, in their order, before the commit. They
    /// count once the change is committed; a change whose connection was lost in between may be committed without having been shown them,
    /// and one that is tried again is shown others.
    /// </summary>
    public virtual Task ReadRows(NpgsqlDataReader reader, CancellationToken ct) => Task.CompletedTask;

    /// <summary>It is committed, and nobody has heard of it yet, not even the followers of this process. Must be quick, and must not throw.</summary>
    /// <param name="last">The position of the last of its entries.</param>
    public virtual void Committed(LogPosition last)
    {
    }
}
