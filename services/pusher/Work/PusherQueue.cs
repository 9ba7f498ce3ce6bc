using Matrix.Pusher.Http;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Work;

/// <summary>An event that a pusher's user may have to be notified of.</summary>
readonly record struct Due(long Position, long EventNid, long RoomNid);

/// <summary>
/// What one pusher has to deliver, in the order of the log, and how far it has come. One task at a time works on it, so its gateway sees pushes in
/// order.
/// </summary>
sealed class PusherQueue
{
    /// <summary>More than this is not kept for a pusher that is slow: the oldest go first.</summary>
    const int Longest = 1000;

    readonly Lock gate = new();
    readonly LinkedList<Due> items = new();
    readonly int keptWhileFailing;
    long newest;          // the last position that was added, or that the pusher had come to before
    bool isWorking, isFailing, isClosed, badgeIsDue, waitingIsStored, waitingChanged, wasAsked;

    public PusherQueue(Storage.Push.Pusher pusher, PusherProgress progress, short shard, int keptWhileFailing, CancellationToken closing)
    {
        (Pusher, Shard, this.keptWhileFailing, Closing) = (pusher, shard, keptWhileFailing, closing);
        Target = GatewayTarget.Read(pusher.Data);
        (newest, Badge) = (progress.Cursor, progress.Badge);
        wasAsked = progress.MailedAt is not null;
        waitingIsStored = progress.Waiting.Any(position => position > progress.Cursor);
    }

    public Storage.Push.Pusher Pusher { get; private set; }

    public bool IsMail => Pusher.Kind == Storage.Push.Pusher.Email;

    public GatewayTarget Target { get; private set; }

    public short Shard { get; }

    /// <summary>Fires when another replica may deliver for it.</summary>
    public CancellationToken Closing { get; }

    /// <summary>The count that was told last. Only for whoever works on the queue.</summary>
    public int? Badge { get; set; }

    /// <summary>Failures since the last success. Only for whoever works on the queue.</summary>
    public int Failures { get; set; }

    /// <summary>The client has set it again.</summary>
    public void Replace(Storage.Push.Pusher pusher)
    {
        lock (gate)
        {
            (Pusher, Target) = (pusher, GatewayTarget.Read(pusher.Data));
            if (IsOn)
                return;
            items.Clear();
            (badgeIsDue, waitingChanged) = (false, waitingIsStored);
        }
    }

    /// <summary>Adds an event, unless it was added or delivered before.</summary>
    public void Add(Due due)
    {
        lock (gate)
        {
            if (due.Position <= newest || isClosed || !IsOn)
                return;
            newest = due.Position;
            items.AddLast(due);
            waitingChanged = true;
            Trim();
        }
    }

    /// <summary>The count of unread events may be another one.</summary>
    public void AddBadge()
    {
        lock (gate)
            badgeIsDue = !isClosed && IsOn && !IsMail;
    }

    /// <summary>May the caller begin to work? False if somebody does, if there is nothing to do, or if it is too early to try again.</summary>
    public bool TryStart()
    {
        lock (gate)
            return !isWorking && !isFailing && HasWork && (isWorking = true);
    }

    /// <summary>Has the address of a mail pusher to be asked whether it wants mail? True once.</summary>
    public bool TryAsk()
    {
        lock (gate)
            return IsMail && Pusher.ConfirmedAt is null && !wasAsked && !isClosed && (wasAsked = true);
    }

    /// <summary>All that waits.</summary>
    public IReadOnlyList<Due> Snapshot()
    {
        lock (gate)
            return isClosed ? [] : [.. items];
    }

    /// <summary>Of what was looked at only this is left, beside what came since.</summary>
    /// <returns>The positions of all that is left.</returns>
    public IReadOnlyList<long> RemoveAllBut(IReadOnlyList<Due> seen, IReadOnlyCollection<Due> kept)
    {
        var gone = seen.Except(kept).ToHashSet();
        lock (gate)
        {
            for (var item = items.First; item is not null;)
            {
                var next = item.Next;
                if (gone.Contains(item.Value))
                    items.Remove(item);
                item = next;
            }
            (waitingIsStored, waitingChanged) = (items.Count > 0, false);
            return [.. items.Select(item => item.Position)];
        }
    }

    /// <summary>What to do next, of who works. Null for the event: only the count. False: nothing is left, and the caller no longer works.</summary>
    public bool TryNext(out Due? due)
    {
        lock (gate)
        {
            due = isClosed ? null : items.First?.Value;
            var onlyBadge = due is null && !isClosed && badgeIsDue;
            badgeIsDue &= !onlyBadge;
            return isWorking = due is not null || onlyBadge;
        }
    }

    /// <summary>The first event is delivered, or need not be.</summary>
    /// <param name="position">0: only the count was told.</param>
    public void Done(long position)
    {
        lock (gate)
        {
            isFailing = false;
            while (items.First is { } first && first.Value.Position <= position)
                items.RemoveFirst();
            waitingChanged |= waitingIsStored;
        }
    }

    /// <summary>It could not be delivered. The caller no longer works, and nobody will before <see cref="Retry"/>.</summary>
    public void Fail(bool onlyBadge)
    {
        lock (gate)
        {
            (isWorking, isFailing) = (false, true);
            badgeIsDue |= onlyBadge;
            Trim();
        }
    }

    /// <summary>It may be tried again.</summary>
    public void Retry()
    {
        lock (gate)
            isFailing = false;
    }

    /// <summary>The pusher is gone, or another replica's.</summary>
    public void Close()
    {
        lock (gate)
            isClosed = true;
    }

    /// <summary>What has to be stored of what waits, before the shard's position passes it; null: what is stored is good.</summary>
    public WaitingPushes? TakeWaiting()
    {
        lock (gate)
        {
            if (!waitingChanged)
                return null;
            waitingChanged = false;
            if (items.Count == 0 && !waitingIsStored)
                return null;
            waitingIsStored = items.Count > 0;
            return new WaitingPushes(Pusher.PusherId, Shard, [.. items.Select(item => item.Position)]);
        }
    }

    public void WaitingWasNotStored()
    {
        lock (gate)
            (waitingChanged, waitingIsStored) = (true, true);
    }

    /// <summary>What lies before this position of the log was looked at.</summary>
    public void SkipTo(long position)
    {
        lock (gate)
            newest = Math.Max(newest, position);
    }

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return items.Count;
        }
    }

    bool IsOn => Pusher.Enabled && (!IsMail || Pusher.ConfirmedAt is not null);

    bool HasWork => !isClosed && (items.Count > 0 || badgeIsDue);

    void Trim()
    {
        var most = isFailing ? keptWhileFailing : Longest;
        while (items.Count > most)
            items.RemoveFirst();
    }
}
