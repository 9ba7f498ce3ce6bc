using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Delayed;

/// <summary>How much users may have sent later. The keys of homeserver.yaml.</summary>
public sealed class DelayedEventOptions : IValidatableObject
{
    /// <summary>The longest that an event may be delayed, at most 366 days. 0: nothing can be scheduled.</summary>
    public TimeSpan MaxEventDelayDuration { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How many delayed events a user may have waiting.</summary>
    [Range(1, 10_000)] public int MaxDelayedEventsPerUser { get; init; } = 100;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxEventDelayDuration < TimeSpan.Zero || MaxEventDelayDuration > TimeSpan.FromDays(366))
            yield return new ValidationResult("must be between 0 and a year", [nameof(MaxEventDelayDuration)]);
    }
}
