using System.Diagnostics.CodeAnalysis;

namespace Matrix.Replication;

/// <summary>Messages that arrived before the ones they follow. Bounded: what does not fit is read from Postgres later.</summary>
sealed class PendingMessages
{
    const int Capacity = 1024;

    readonly SortedList<long, LogAdvanced> _byFrom = [];

    /// <summary>The highest position heard of in a message that waits.</summary>
    public LogPosition? Newest { get; private set; }

    public void Add(LogAdvanced message, LogPosition position)
    {
        if (message.To <= position)
            return;
        if (Newest is not { } newest || message.To > newest)
            Newest = message.To;
        if (_byFrom.TryGetValue(message.From.Value, out var other))
        {
            if (message.To > other.To)
                _byFrom[message.From.Value] = message;
        }
        else if (_byFrom.Count < Capacity)
            _byFrom.Add(message.From.Value, message);
    }

    /// <summary>The next entries after <paramref name="position"/>, if they are here.</summary>
    public bool TryTake(LogPosition position, [NotNullWhen(true)] out IReadOnlyList<LogEntry>? entries)
    {
        entries = null;
        while (entries is null && _byFrom.Count > 0 && _byFrom.GetKeyAtIndex(0) <= position.Value)
        {
            var message = _byFrom.GetValueAtIndex(0);
            _byFrom.RemoveAt(0);
            if (message.To > position)
                entries = message.From == position ? message.Entries : [.. message.Entries.SkipWhile(entry => entry.Position <= position)];
        }
        if (_byFrom.Count == 0)
            Newest = null;
        return entries is not null;
    }
}
