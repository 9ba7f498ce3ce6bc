namespace Matrix.Hosting.Overload;

/// <summary>Something that requests queue for.</summary>
/// <param name="Name">As operators know it.</param>
/// <param name="Measure">How long one queues for it now. Asked only while many requests are at work, by one caller at a time; costs Postgres nothing.</param>
public sealed record QueueProbe(string Name, Func<CancellationToken, ValueTask<TimeSpan>> Measure);
