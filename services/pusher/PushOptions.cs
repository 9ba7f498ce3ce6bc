using System.ComponentModel.DataAnnotations;
using Matrix.Federation;

namespace Matrix.Pusher;

/// <summary>What push gateways are told, and when they are tried again: the section <c>push</c>.</summary>
public sealed class PushOptions
{
    /// <summary>Notify at all. False: nothing is pushed and mailed.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>May push gateways see what is in events, who sent them and what rooms are called? Otherwise they get the format <c>event_id_only</c>.</summary>
    public bool IncludeContent { get; init; } = true;

    /// <summary>Tell how many rooms have something unread, instead of how many unread events there are.</summary>
    public bool GroupUnreadCountByRoom { get; init; }

    /// <summary>How long a push gateway may take to answer.</summary>
    public TimeSpan GatewayTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many requests to one push gateway a process has under way at once.</summary>
    [Range(1, 1000)] public int MaxRequestsPerGateway { get; init; } = 64;

    /// <summary>How long a push gateway is left alone after a first failure; after each further one three times as long.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Of what could not be delivered while a push gateway failed, the newest so many of a pusher are delivered when it is back.</summary>
    [Range(1, 1000)] public int KeptWhileFailing { get; init; } = 10;
}

/// <summary>Where requests to addresses that users name may go: keys of the top level, as for federation.</summary>
public sealed class PushAddressOptions : IValidatableObject
{
    /// <summary>As for federation.</summary>
    public IReadOnlyList<string>? IpRangeBlacklist { get; init; }

    /// <summary>As for federation.</summary>
    public IReadOnlyList<string>? IpRangeWhitelist { get; init; }

    public AddressRanges Ranges => new(IpRangeBlacklist ?? AddressRanges.NotPublic, IpRangeWhitelist ?? []);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        from range in (IpRangeBlacklist ?? []).Concat(IpRangeWhitelist ?? [])
        where !AddressRanges.TryParse(range, out _)
        select new ValidationResult($"'{range}' is not a range such as 10.0.0.0/8", [nameof(IpRangeBlacklist)]);
}
