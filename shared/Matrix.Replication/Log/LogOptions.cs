namespace Matrix.Replication;

/// <summary>Limits of the log writer. The defaults are meant to stay.</summary>
public sealed class LogWriterOptions
{
    /// <summary>Changes that may wait; more callers wait for room.</summary>
    public int QueueCapacity { get; init; } = 4096;

    public int MaxChangesPerBatch { get; init; } = 128;

    /// <summary>No further change joins a batch that has this many entries. A single change may have more.</summary>
    public int MaxEntriesPerBatch { get; init; } = 1024;

    /// <summary>How long the server lets a batch wait for the log's lock, or one of its statements run.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the writer waits for the server's answer to a whole batch.</summary>
    public TimeSpan BatchTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long callers are kept waiting for a database that does not answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    public TimeSpan ReconnectPause { get; init; } = TimeSpan.FromMilliseconds(200);
}

/// <summary>How a follower keeps up. The defaults are meant to stay.</summary>
public sealed class LogFollowerOptions
{
    /// <summary>Newest entries kept in memory, at a cache factor of 1 (<c>recent_log</c>). They have some 250 bytes each.</summary>
    public int RecentCapacity { get; init; } = 8192;

    /// <summary>
    /// How long a gap may wait for a message that was overtaken, before the database is asked: longer than a writer holds a message back
    /// (<see cref="LogAnnouncer"/>).
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The database is asked this often, also when messages come: they may be old ones.</summary>
    public TimeSpan SelfCheck { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>While the bus is away it is asked when nothing was heard for this long.</summary>
    public TimeSpan SelfCheckWithoutBus { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Not told of commits: looks for itself every <see cref="SelfCheck"/>, and sooner when somebody waits for a position. Being woken by a message costs
    /// half a millisecond of CPU here and at the broker, so it is for processes whose work may wait so long.
    /// </summary>
    public bool Relaxed { get; init; }

    /// <summary>Though relaxed, it looks at once when there is a <see cref="LogCall"/>.</summary>
    public bool IsCalled { get; init; }

    /// <summary>Entries read from the database at a time.</summary>
    public int PageSize { get; init; } = 1000;
}
