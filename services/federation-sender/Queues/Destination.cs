using Matrix.FederationSender.Sharding;
using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// What waits for one other server, and how far deliveries to it are. While it keeps up, everything is in memory; one that fails, or has too much waiting,
/// lags: then only a position is known here, up to which everything was delivered, and the rest is read from the database.
/// </summary>
/// <remarks>Its state is guarded by a lock of its own; nothing is awaited under it.</remarks>
sealed class Destination(ServerName server, HeldShard holder, long routed)
{
    readonly Lock gate = new();
    readonly OutgoingQueue queue = new();
    ITimer? retry;
    bool isLagging;
    bool isRunning;
    bool hasMessages;
    long cursor;     // while it lags
    long newest = routed; // the newest position that concerns it: up to the one of its making there is nothing that is not known
    bool isStored;   // there is a row that says more than that it keeps up
    int version;
    int savedVersion;

    public ServerName Server => server;

    /// <summary>The shard under whose lease this was made. When it is lost, so is what is known here.</summary>
    public HeldShard Holder => holder;

    public Failing? Failing { get; private set; }

    /// <summary>While it lags: up to here few enough events wait that it gets them all. Used by the one who runs it.</summary>
    public long InFullUpTo { get; set; }

    /// <summary>Was it tried because it was heard from?</summary>
    public bool IsHeard { get; private set; }

    public static Destination Restore(DestinationRow row, HeldShard holder, long routed) => new(ServerName.Parse(row.Server), holder, routed)
    {
        isLagging = true,
        cursor = row.Lags ? row.Position : routed,
        hasMessages = true,
        isStored = true,
        Failing = row.FailingSince is { } since
            ? new Failing(since, row.RetryAt ?? since, row.RetryInterval ?? TimeSpan.Zero, row.LastFailure ?? "") : null,
    };

    /// <summary>One of which nothing is known but that everything up to a position was delivered.</summary>
    public static Destination After(ServerName server, HeldShard holder, long position, long routed) =>
        new(server, holder, routed) { isLagging = true, cursor = position, hasMessages = true };

    /// <summary>Something came after this position that it may not have been given; it fails perhaps, but did not lag.</summary>
    public void LagAtLeastFrom(long position)
    {
        lock (gate)
            cursor = Math.Min(cursor, Math.Max(position, 0));
    }

    /// <summary>What is shown of it.</summary>
    public (bool Lags, long Position, int Pdus, int Edus) Depth
    {
        get
        {
            lock (gate)
                return (isLagging, cursor, queue.Pdus, queue.Edus);
        }
    }

    /// <returns>Is it to be run?</returns>
    public bool Add(OutgoingPdu pdu, int mostQueued, long now)
    {
        lock (gate)
        {
            newest = Math.Max(newest, pdu.Position);
            if (!isLagging && queue.Pdus >= mostQueued)
                FallBehind();
            if (!isLagging)
                queue.Add(pdu, now);
            return Start();
        }
    }

    /// <returns>Is it to be run?</returns>
    public bool Add(OutgoingEdu edu, long now)
    {
        lock (gate)
        {
            if (edu.Position > 0 && isLagging)
            {
                newest = Math.Max(newest, edu.Position);
                return Start();
            }
            if (Failing is not null)
                return false; // it was good for the moment
            if (!queue.TryAdd(edu, now) && edu.Position > 0)
                FallBehind(); // from before this one on: it is not among those that were handed over
            newest = Math.Max(newest, edu.Position);
            return Start();
        }
    }

    /// <summary>There are messages to devices in the database.</summary>
    /// <returns>Is it to be run?</returns>
    public bool AddMessages()
    {
        lock (gate)
        {
            hasMessages = true;
            return Start();
        }
    }

    /// <summary>It is to be tried again now, whatever it was doing before.</summary>
    /// <returns>Is it to be run?</returns>
    public bool Resume(bool isHeard = false)
    {
        lock (gate)
        {
            retry?.Dispose();
            retry = null;
            if (isRunning)
                return false;
            IsHeard = isHeard;
            return isRunning = true;
        }
    }

    /// <summary>By this it is tried again, and by none that was set before.</summary>
    public void RetryBy(ITimer? timer)
    {
        lock (gate)
        {
            retry?.Dispose();
            retry = timer;
        }
    }

    /// <summary>What is to be sent next, from memory: null where it lags. False: there is nothing, and nobody runs it any more.</summary>
    public bool TryTake(IReadOnlyList<OutgoingMessage> messages, int mostPdus, int mostEdus, out FederationTransaction? transaction)
    {
        lock (gate)
        {
            transaction = isLagging ? null : queue.Take(messages, mostPdus, mostEdus);
            return isLagging || transaction is not null || (isRunning = hasMessages);
        }
    }

    /// <summary>EDUs of the moment, for a destination that lags.</summary>
    public IReadOnlyList<OutgoingEdu> TakeEdus(int most)
    {
        lock (gate)
            return queue.TakeEdus(most);
    }

    /// <summary>Whether messages have to be looked for; asked once before each look.</summary>
    public bool TakeMessagesHint()
    {
        lock (gate)
        {
            var had = hasMessages;
            hasMessages = false;
            return had;
        }
    }

    public void HasMoreMessages()
    {
        lock (gate)
            hasMessages = true;
    }

    /// <summary>Does it lag, and from where on?</summary>
    public long? LagsFrom
    {
        get
        {
            lock (gate)
                return isLagging ? cursor : null;
        }
    }

    /// <summary>The other server has taken it.</summary>
    public void Delivered(FederationTransaction transaction, long now)
    {
        lock (gate)
        {
            queue.Delivered(now);
            if (Failing is not null || isLagging)
                version++;
            (Failing, IsHeard) = (null, false);
            if (transaction.UpTo > cursor)
                cursor = transaction.UpTo;
        }
    }

    /// <summary>Everything up to a position was read and delivered. If nothing has come since, it keeps up.</summary>
    public void CaughtUp(long position)
    {
        lock (gate)
        {
            if (!isLagging)
                return;
            cursor = Math.Max(cursor, position);
            if (newest <= position)
                isLagging = false;
            version++;
        }
    }

    /// <summary>It did not take it: from now on it lags, and is left alone for a while.</summary>
    public void Failed(Failing failing)
    {
        lock (gate)
        {
            if (!isLagging)
                FallBehind();
            queue.Forget();
            queue.DropEdus();
            Failing = failing;
            isRunning = false;
            version++;
        }
    }

    /// <summary>Its work ended before its time: everything that waits has to be looked at anew.</summary>
    public void Interrupted()
    {
        lock (gate)
        {
            if (!isLagging)
                FallBehind();
            queue.Forget();
            (hasMessages, isRunning) = (true, false);
        }
    }

    /// <summary>
    /// What has to be stored of it, and the position below which everything was delivered to it if that is not told by its row; null where there is nothing.
    /// </summary>
    /// <param name="patience">One that has waited for longer gets a row, so that it does not hold up the shard.</param>
    public (DestinationRow? Row, long? Holds, int Version) Snapshot(long now, long patience)
    {
        lock (gate)
        {
            if (isLagging)
                return (version != savedVersion || !isStored ? Row(true, cursor) : null, null, version);
            if (queue.Oldest is { } oldest)
                return queue.HasWaited(now, patience) ? (Row(true, oldest - 1), null, -1) : (null, oldest - 1, version);
            return (isStored ? Row(false, 0) : null, null, version);
        }
    }

    /// <summary>The row was stored.</summary>
    public void Saved(DestinationRow row, int savedAt)
    {
        lock (gate)
        {
            savedVersion = savedAt;
            isStored = row.Lags || row.FailingSince is not null;
        }
    }

    /// <summary>Is nothing known of it that has to be remembered?</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate)
                return !isRunning && !isLagging && !isStored && !hasMessages && Failing is null && queue.IsEmpty;
        }
    }

    DestinationRow Row(bool lags, long position) => new(
        server.ToString(), holder.Number, lags, position, Failing?.Since, Failing?.RetryAt, Failing?.Pause, Failing?.Reason);

    bool Start()
    {
        if (isRunning || Failing is not null)
            return false;
        return isRunning = true;
    }

    void FallBehind()
    {
        cursor = queue.Oldest is { } oldest ? oldest - 1 : newest;
        isLagging = true;
        queue.DropStored();
        version++;
    }
}
