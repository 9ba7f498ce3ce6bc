namespace Matrix.Protocol;

/// <summary>
/// The mainline: the resolved power levels, the ones these are based on, and so on back; and the lines of other events, which may meet it.
/// </summary>
/// <remarks>
/// All lines are followed side by side with the mainline, a step of each in one load, and no further than where they meet: what is based on recent
/// power levels does not cost the room's whole history. To know a meeting is enough, because what follows a link is the same on every line: where a
/// line meets the known part of the mainline, nothing before can be on the part that is not known yet.
/// </remarks>
sealed class Mainline(ResolutionEvents events)
{
    /// <summary>The position of what is not based on the mainline.</summary>
    const int Off = int.MaxValue;

    readonly Dictionary<EventId, int> _positions = [];

    /// <summary>The oldest link of the mainline that is known; null when its end is.</summary>
    Pdu? _last;

    /// <summary>Where lines were, and where they went on to from there; null at a line's end.</summary>
    readonly HashSet<EventId> _visited = [];
    readonly Dictionary<EventId, Pdu?> _next = [];

    /// <summary>Where lines have come to that have not met the mainline, and the ends of those that did not until their end.</summary>
    readonly Dictionary<EventId, Pdu> _open = [];
    readonly HashSet<EventId> _ended = [];

    /// <summary>Loads as much as <see cref="Position"/> needs for these events.</summary>
    public async ValueTask Follow(IReadOnlyCollection<Pdu> pdus, Pdu? powerLevels)
    {
        Append(powerLevels);
        await events.Load(pdus.SelectMany(pdu => pdu.AuthEvents));
        foreach (var pdu in pdus)
            Visit(events.FindPowerLevels(pdu));
        while (_open.Count > 0 || (_last is not null && _ended.Count > 0))
        {
            await events.Load((_last is null ? _open.Values : _open.Values.Append(_last)).SelectMany(link => link.AuthEvents));
            if (_last is not null)
                Append(events.FindPowerLevels(_last));
            Step();
        }
    }

    /// <summary>The place on the mainline, counted from its newest, where the event's own line first meets it.</summary>
    public int Position(Pdu pdu)
    {
        var walked = new List<EventId>();
        var position = Off;
        for (var link = events.FindPowerLevels(pdu); link is not null; link = events.FindPowerLevels(link))
        {
            // What was walked before counts as off until its position is known, which also ends a walk in circles.
            if (!_positions.TryAdd(link.EventId, Off))
            {
                position = _positions[link.EventId];
                break;
            }
            walked.Add(link.EventId);
        }
        foreach (var id in walked)
            _positions[id] = position;
        return position;
    }

    /// <summary>One more link of the mainline is known, and if a line was there, all that this line went on to.</summary>
    void Append(Pdu? link)
    {
        while (link is not null && _positions.TryAdd(link.EventId, _positions.Count))
        {
            _last = link;
            if (!_visited.Contains(link.EventId))
                return;
            if (!_next.TryGetValue(link.EventId, out var next))
            {
                _open.Remove(link.EventId);
                return;
            }
            if (next is null)
                _ended.Remove(link.EventId);
            link = next;
        }
        _last = null;
    }

    /// <summary>Every line goes back by one link.</summary>
    void Step()
    {
        var links = _open.Values.ToList();
        _open.Clear();
        foreach (var link in links)
        {
            var next = events.FindPowerLevels(link);
            _next[link.EventId] = next;
            if (next is null)
                _ended.Add(link.EventId);
            Visit(next);
        }
    }

    void Visit(Pdu? link)
    {
        if (link is not null && !_positions.ContainsKey(link.EventId) && _visited.Add(link.EventId))
            _open[link.EventId] = link;
    }
}
