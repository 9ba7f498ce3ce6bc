using System.Diagnostics.CodeAnalysis;

namespace Matrix.Replication;

/// <summary>The newest entries, in a ring of fixed size. Safe to read from any thread.</summary>
public sealed class RecentLog(int capacity)
{
    readonly Lock _lock = new();
    readonly LogEntry[] _ring = new LogEntry[capacity];
    long _floor;  // the position before the oldest entry
    long _newest;

    /// <summary>How many entries there is room for.</summary>
    public int Capacity => capacity;

    /// <summary>The position before the oldest entry: what came until here is not in memory.</summary>
    public LogPosition Floor
    {
        get
        {
            lock (_lock)
                return new LogPosition(_floor);
        }
    }

    /// <summary>All entries after a position, in order; false when some of them are no longer here.</summary>
    public bool TryRead(LogPosition after, [NotNullWhen(true)] out IReadOnlyList<LogEntry>? entries) =>
        TryRead(after, new LogPosition(long.MaxValue), out entries);

    /// <summary>The entries after a position up to another, included, in order; false when some of them are no longer here.</summary>
    public bool TryRead(LogPosition after, LogPosition to, [NotNullWhen(true)] out IReadOnlyList<LogEntry>? entries)
    {
        lock (_lock)
        {
            if (after.Value < _floor)
            {
                entries = null;
                return false;
            }
            var last = Math.Min(to.Value, _newest);
            if (last <= after.Value)
            {
                entries = [];
                return true;
            }
            var result = new LogEntry[last - after.Value];
            for (var i = 0; i < result.Length; i++)
                result[i] = _ring[Slot(after.Value + 1 + i)];
            entries = result;
            return true;
        }
    }

    internal void Start(LogPosition position, IReadOnlyList<LogEntry> newest)
    {
        lock (_lock)
            _floor = _newest = newest.Count > 0 ? newest[0].Position.Value - 1 : position.Value;
        if (newest.Count > 0)
            Append(newest);
    }

    internal void Append(IReadOnlyList<LogEntry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                if (entry.Position.Value != _newest + 1)
                    _floor = entry.Position.Value - 1; // the ring holds no holes
                _newest = entry.Position.Value;
                _ring[Slot(_newest)] = entry;
            }
            _floor = Math.Max(_floor, _newest - _ring.Length);
        }
    }

    int Slot(long position) => (int)(position % _ring.Length);
}
