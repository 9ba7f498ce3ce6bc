using System.ComponentModel.DataAnnotations;

namespace Matrix.Replication;

/// <summary>The section <c>background_jobs</c>.</summary>
public sealed class BackgroundJobOptions
{
    /// <summary>The part of the time for which a job is at work: after each batch it rests, longer when Postgres was slow.</summary>
    [Range(0.01, 1.0)] public double Share { get; set; } = 0.2;

    /// <summary>After so many seconds without a sign of life of the replica that does a job another one goes on.</summary>
    [Range(3, 600)] public int TakeoverSeconds { get; set; } = 15;
}
