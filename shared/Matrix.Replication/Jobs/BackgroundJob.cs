using Matrix.Storage;

namespace Matrix.Replication;

/// <summary>How far a batch came, and how many rows it looked at.</summary>
public sealed record JobBatch(long Position, int Rows);

/// <summary>
/// Long work over what is stored already, in the order of some number: the back-fill of what a release adds. It is done once, in small batches, while the server
/// runs. What it writes has to bear that newer writes have been there before it: those are the services' own, from the release on that adds it.
/// </summary>
public abstract class BackgroundJob
{
    /// <summary>For good: by it the database knows how far it is.</summary>
    public abstract string Name { get; }

    /// <summary>Is there any use in doing it, as this server is configured?</summary>
    public virtual bool IsWanted => true;

    /// <summary>Where it ends. Asked once; what is written later is not its business.</summary>
    public abstract Task<long> Goal(DatabaseTransaction tx, CancellationToken ct);

    /// <summary>Does what comes after a position, at most so many rows. The transaction also stores how far that was.</summary>
    public abstract Task<JobBatch> Next(DatabaseTransaction tx, long after, long goal, int most, CancellationToken ct);

    /// <summary>In the last batch's transaction.</summary>
    public virtual Task End(DatabaseTransaction tx, CancellationToken ct) => Task.CompletedTask;
}
