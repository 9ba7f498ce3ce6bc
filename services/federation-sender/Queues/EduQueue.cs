namespace Matrix.FederationSender.Queues;

/// <summary>EDUs that wait for a destination, in order; a newer one takes the place of an older one with its key. Not safe for threads.</summary>
sealed class EduQueue
{
    const int Most = 2000;

    readonly OrderedDictionary<string, OutgoingEdu> edus = new(StringComparer.Ordinal);

    public int Count => edus.Count;

    /// <summary>Of the oldest that has a position.</summary>
    public long? Oldest => edus.Values.Where(edu => edu.Position > 0).Select(edu => (long?)edu.Position).Min();

    /// <summary>False: too many wait.</summary>
    public bool TryAdd(OutgoingEdu edu)
    {
        if (!edus.Remove(edu.Key) && edus.Count >= Most)
            return false;
        edus.Add(edu.Key, edu);
        return true;
    }

    public IReadOnlyList<OutgoingEdu> Take(int most)
    {
        var taken = edus.Values.Take(most).ToArray();
        if (taken.Length == edus.Count)
            edus.Clear();
        else
            Array.ForEach(taken, edu => edus.Remove(edu.Key));
        return taken;
    }

    /// <summary>Those that will be found again in the database; the others are kept.</summary>
    public void RemoveStored()
    {
        foreach (var edu in edus.Values.Where(edu => edu.Position > 0).ToArray())
            edus.Remove(edu.Key);
    }

    public void Clear() => edus.Clear();
}
