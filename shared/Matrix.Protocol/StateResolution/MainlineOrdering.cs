namespace Matrix.Protocol;

/// <summary>
/// The mainline ordering: by how recent the power levels are that an event is based on, then by time, then by id. The mainline is the
/// resolved power levels and the ones these are based on, one after the other.
/// </summary>
static class MainlineOrdering
{
    /// <summary>The position of what is not based on the mainline.</summary>
    const int Off = int.MaxValue;

    public static async ValueTask<List<Pdu>> Sort(IReadOnlyCollection<Pdu> pdus, Pdu? powerLevels, ResolutionEvents events)
    {
        var positions = new Dictionary<EventId, int>();
        for (var link = powerLevels; link is not null && positions.TryAdd(link.EventId, positions.Count);)
            link = await Previous(link, events);
        var keyed = new List<(int Position, Pdu Pdu)>(pdus.Count);
        foreach (var pdu in pdus)
            keyed.Add((await Position(pdu, positions, events), pdu));
        keyed.Sort(static (left, right) => Compare(left, right));
        return keyed.ConvertAll(item => item.Pdu);
    }

    /// <summary>The position of the first link of the event's own line that is on the mainline; what was found is remembered for the whole line.</summary>
    static async ValueTask<int> Position(Pdu pdu, Dictionary<EventId, int> positions, ResolutionEvents events)
    {
        var walked = new List<EventId>();
        var position = Off;
        for (var link = await Previous(pdu, events); link is not null; link = await Previous(link, events))
        {
            if (positions.TryGetValue(link.EventId, out position))
                break;
            position = Off;
            walked.Add(link.EventId);
        }
        foreach (var id in walked)
            positions[id] = position;
        return position;
    }

    static async ValueTask<Pdu?> Previous(Pdu pdu, ResolutionEvents events)
    {
        await events.Load(pdu.AuthEvents);
        return events.FindPowerLevels(pdu);
    }

    static int Compare((int Position, Pdu Pdu) left, (int Position, Pdu Pdu) right)
    {
        if (left.Position != right.Position)
            return right.Position.CompareTo(left.Position);
        var (x, y) = (left.Pdu, right.Pdu);
        return x.OriginServerTs != y.OriginServerTs ? x.OriginServerTs.CompareTo(y.OriginServerTs) : x.EventId.CompareTo(y.EventId);
    }
}
