namespace Matrix.FederationSender.Queues;

/// <summary>
/// So many requests at a time. One that takes long makes room for the next, as long as not too many do: else servers that accept connections and say nothing
/// would take all places, until each has had its time.
/// </summary>
sealed class SendingPlaces(int count, int mostSlow, TimeSpan slowAfter, TimeProvider time) : IDisposable
{
    readonly SemaphoreSlim quick = new(count), slow = new(mostSlow);

    public async Task<Place> Enter(CancellationToken ct)
    {
        await quick.WaitAsync(ct);
        var place = new Place(quick);
        place.Timer = time.CreateTimer(_ => place.MoveTo(slow), null, slowAfter, Timeout.InfiniteTimeSpan);
        return place;
    }

    public void Dispose()
    {
        quick.Dispose();
        slow.Dispose();
    }

    /// <summary>Given back when it is disposed of.</summary>
    public sealed class Place(SemaphoreSlim quick) : IDisposable
    {
        readonly Lock gate = new();
        SemaphoreSlim? held = quick;

        public ITimer? Timer { get; set; }

        public void Dispose()
        {
            Timer?.Dispose();
            lock (gate)
            {
                held?.Release();
                held = null;
            }
        }

        public void MoveTo(SemaphoreSlim other)
        {
            lock (gate)
            {
                if (held is null || !other.Wait(0))
                    return;
                held.Release();
                held = other;
            }
        }
    }
}
