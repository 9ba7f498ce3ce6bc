using System.ComponentModel.DataAnnotations;

namespace Matrix.Hosting.Overload;

/// <summary>The section <c>overload</c>: when a process refuses requests because it has more to do than it can.</summary>
public sealed class OverloadOptions : IValidatableObject
{
    /// <summary>Refuse what is too much. False: everything is taken, and waits.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>So many requests at work in a process are never too many, whatever is measured. What waits for news is not at work.</summary>
    [Range(1, 1_000_000)] public int AlwaysAdmitted { get; init; } = 64;

    /// <summary>More than this are never at work at once in a process.</summary>
    [Range(1, 1_000_000)] public int MostAdmitted { get; init; } = 4096;

    /// <summary>
    /// What queues longer than this all through a tenth of a second queues too long: to be looked at by the gateway, for a thread, for a connection to
    /// Postgres, for a commit beyond what the shortest of late took.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")] public TimeSpan QueueingTime { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>How long a request waits to be let in while nothing queues too long.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")] public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(200);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MostAdmitted < AlwaysAdmitted) yield return new ValidationResult("must not be below overload.always_admitted", [nameof(MostAdmitted)]);
    }
}
