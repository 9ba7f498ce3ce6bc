namespace Matrix.Replication;

/// <summary>
/// The log goes on beyond where this process is: it has been asleep for longer than the log is kept (<see cref="LogPurge"/>), and what it remembers may be
/// old. The process ends; started again it begins with nothing remembered.
/// </summary>
public sealed class LogPurgedException(long position, long next)
    : Exception($"The log goes on at {next} after {position}: what lies between was purged while this process did not follow it. Start it again.");
