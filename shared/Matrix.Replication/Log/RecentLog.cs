using System.Diagnostics.CodeAnalysis;

namespace Matrix.Replication;

/// <summary>The newest entries, in a ring of fixed size. Safe to read from any thread.</summary>
public sealed class RecentLog(int capacity)
{
    readonly Lock _lock = new();
    readonly LogEntry[] _ring = new LogEntry[capacity];
    long _floor;  // the position before the oldest entry
    long _newest;
    long _count;  // of entries that were ever appended: the last one is in the ring's place (_count - 1) % capacity
    long _first;  // the number of the oldest entry that is still here

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
            var (begin, end) = (NumberAfter(after.Value), NumberAfter(to.Value));
            if (end <= begin)
            {
                entries = [];
                return true;
            }
            var result = new LogEntry[end - begin];
            for (var i = 0; i < result.Length; i++)
                result[i] = _ring[Slot(begin + i)];
            entries = result;
            return true;
        }
    }

    internal void Start(LogPosition position, IReadOnlyList<LogEntry> newest)
    {
        lock (_lock)
        {
            _floor = _newest = newest.Count > 0 ? newest[0].Follows.Value : position.Value;
            _first = _count;
        }
        if (newest.Count > 0)
            Append(newest);
    }

    internal void Append(IReadOnlyList<LogEntry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                if (entry.Follows.Value > _newest)
                    (_floor, _first) = (entry.Follows.Value, _count); // something between is not here
                else if (_count - _first == _ring.Length)
                    _floor = _ring[Slot(_first++)].Position.Value;
                _newest = entry.Position.Value;
                _ring[Slot(_count++)] = entry;
            }
        }
    }

    /// <summary>The number of the first entry after a position that is not below the floor.</summary>
    long NumberAfter(long position)
    {
        if (position >= _newest)
            return _count;
        var (low, high) = (_first, _count - 1); // it is among these
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (_ring[Slot(middle)].Position.Value > position)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    int Slot(long number) => (int)(number % _ring.Length);
}
