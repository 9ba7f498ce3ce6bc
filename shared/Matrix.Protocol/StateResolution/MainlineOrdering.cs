namespace Matrix.Protocol;

/// <summary>The mainline ordering: by how recent the power levels are that an event is based on, then by time, then by id.</summary>
static class MainlineOrdering
{
    public static async ValueTask<List<Pdu>> Sort(IReadOnlyCollection<Pdu> pdus, Pdu? powerLevels, ResolutionEvents events)
    {
        var mainline = new Mainline(events);
        await mainline.Follow(pdus, powerLevels);
        var keyed = new List<(int Position, Pdu Pdu)>(pdus.Count);
        foreach (var pdu in pdus)
            keyed.Add((mainline.Position(pdu), pdu));
        keyed.Sort(static (left, right) => Compare(left, right));
        return keyed.ConvertAll(item => item.Pdu);
    }

    static int Compare((int Position, Pdu Pdu) left, (int Position, Pdu Pdu) right)
    {
        if (left.Position != right.Position)
            return right.Position.CompareTo(left.Position);
        var (x, y) = (left.Pdu, right.Pdu);
        return x.OriginServerTs != y.OriginServerTs ? x.OriginServerTs.CompareTo(y.OriginServerTs) : x.EventId.CompareTo(y.EventId);
    }
}
