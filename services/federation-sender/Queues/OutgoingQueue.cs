using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Queues;

/// <summary>What waits in memory for a destination, and what of it is under way. Not safe for threads.</summary>
sealed class OutgoingQueue
{
    readonly Queue<OutgoingPdu> pdus = new();
    readonly EduQueue edus = new();
    FederationTransaction? sending;
    long waitingSince; // 0: nothing waits

    public int Pdus => pdus.Count;

    public int Edus => edus.Count;

    public bool IsEmpty => pdus.Count + edus.Count == 0;

    /// <summary>The position of the oldest that was not delivered, of what has one.</summary>
    public long? Oldest
    {
        get
        {
            long? oldest = sending is null ? null
                : sending.Pdus.Select(pdu => (long?)pdu.Position).Concat(sending.Edus.Where(edu => edu.Position > 0).Select(edu => (long?)edu.Position)).Min();
            if (pdus.TryPeek(out var first) && !(oldest <= first.Position))
                oldest = first.Position;
            return edus.Oldest is { } edu && !(oldest <= edu) ? edu : oldest;
        }
    }

    public void Add(OutgoingPdu pdu, long now)
    {
        Wait(now);
        pdus.Enqueue(pdu);
    }

    /// <summary>False: too many wait.</summary>
    public bool TryAdd(OutgoingEdu edu, long now)
    {
        Wait(now);
        return edus.TryAdd(edu);
    }

    /// <summary>What is to be sent next, with these messages; it is under way from now on. Null: there is nothing.</summary>
    public FederationTransaction? Take(IReadOnlyList<OutgoingMessage> messages, int mostPdus, int mostEdus)
    {
        var batch = new List<OutgoingPdu>(Math.Min(mostPdus, pdus.Count));
        while (batch.Count < mostPdus && pdus.TryDequeue(out var pdu))
            batch.Add(pdu);
        var transaction = new FederationTransaction(batch, edus.Take(mostEdus - messages.Count), messages, 0);
        if (!transaction.IsEmpty)
            return sending = transaction;
        waitingSince = 0;
        return null;
    }

    public IReadOnlyList<OutgoingEdu> TakeEdus(int most) => edus.Take(most);

    /// <summary>What was under way has been delivered.</summary>
    public void Delivered(long now)
    {
        sending = null;
        waitingSince = IsEmpty ? 0 : now;
    }

    /// <summary>What was under way is so no more, and was not delivered.</summary>
    public void Forget() => sending = null;

    /// <summary>Drops what will be found again in the database.</summary>
    public void DropStored()
    {
        pdus.Clear();
        edus.RemoveStored();
    }

    public void DropEdus() => edus.Clear();

    /// <summary>Has what waits waited for so long?</summary>
    public bool HasWaited(long now, long patience) => now - waitingSince >= patience;

    void Wait(long now)
    {
        if (waitingSince == 0)
            waitingSince = now;
    }
}
