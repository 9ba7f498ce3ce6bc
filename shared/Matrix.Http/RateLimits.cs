using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using Matrix.Replication;
using Microsoft.Extensions.Configuration;

namespace Matrix.Http;

/// <summary>A steady rate, and how much may come at once. What is not configured keeps its default.</summary>
public sealed class RateLimit
{
    [Range(0.000001, 1_000_000)] public double? PerSecond { get; init; }

    [Range(1, 1_000_000)] public int? BurstCount { get; init; }
}

/// <summary>The keys <c>rc_*</c> of homeserver.yaml.</summary>
public sealed class RateLimitOptions
{
    public RateLimit RcMessage { get; init; } = new();

    public RateLimit RcRegistration { get; init; } = new();

    public RateLimit RcRegistrationTokenValidity { get; init; } = new();

    public RateLimit RcReports { get; init; } = new();

    public RateLimit RcRendezvous { get; init; } = new();

    public RateLimit RcDelayedEventMgmt { get; init; } = new();

    [ConfigurationKeyName("rc_3pid_validation")] public RateLimit RcThreepidValidation { get; init; } = new();

    public LoginLimits RcLogin { get; init; } = new();

    public JoinLimits RcJoins { get; init; } = new();

    public InviteLimits RcInvites { get; init; } = new();

    public sealed class LoginLimits
    {
        public RateLimit Address { get; init; } = new();

        public RateLimit Account { get; init; } = new();

        public RateLimit FailedAttempts { get; init; } = new();
    }

    public sealed class JoinLimits
    {
        public RateLimit Local { get; init; } = new();

        public RateLimit Remote { get; init; } = new();
    }

    public sealed class InviteLimits
    {
        public RateLimit PerRoom { get; init; } = new();

        public RateLimit PerUser { get; init; } = new();

        public RateLimit PerIssuer { get; init; } = new();
    }
}

/// <summary>Limits what comes too often, over all replicas together (<see cref="RateBuckets"/>).</summary>
public sealed class RateLimits(RateBuckets buckets, RateLimitOptions options)
{
    readonly Dictionary<string, (double PerSecond, int Burst)> _limits = new()
    {
        ["rc_message"] = Limit(options.RcMessage, 0.2, 10),
        ["rc_registration"] = Limit(options.RcRegistration, 0.17, 3),
        ["rc_registration_token_validity"] = Limit(options.RcRegistrationTokenValidity, 0.1, 5),
        ["rc_delayed_event_mgmt"] = Limit(options.RcDelayedEventMgmt, 1, 5),
        ["rc_rendezvous"] = Limit(options.RcRendezvous, 0.2, 10),
        ["rc_reports"] = Limit(options.RcReports, 1, 5),
        ["rc_3pid_validation"] = Limit(options.RcThreepidValidation, 0.003, 5),
        ["rc_login.address"] = Limit(options.RcLogin.Address, 0.003, 5),
        ["rc_login.account"] = Limit(options.RcLogin.Account, 0.003, 5),
        ["rc_login.failed_attempts"] = Limit(options.RcLogin.FailedAttempts, 0.17, 3),
        ["rc_joins.local"] = Limit(options.RcJoins.Local, 0.1, 10),
        ["rc_joins.remote"] = Limit(options.RcJoins.Remote, 0.01, 10),
        ["rc_invites.per_room"] = Limit(options.RcInvites.PerRoom, 0.3, 10),
        ["rc_invites.per_user"] = Limit(options.RcInvites.PerUser, 0.003, 5),
        ["rc_invites.per_issuer"] = Limit(options.RcInvites.PerIssuer, 0.3, 10),
    };

    /// <summary>Counts one more.</summary>
    /// <param name="kind">The configuration's key, such as <c>rc_message</c> or <c>rc_login.address</c>.</param>
    /// <param name="who">The user, room or address that is limited.</param>
    /// <exception cref="MatrixException">429 M_LIMIT_EXCEEDED with how long to wait.</exception>
    public async Task Check(string kind, string who, CancellationToken ct)
    {
        var (perSecond, burst) = _limits[kind];
        if (await buckets.Take($"{kind}:{who}", perSecond, burst, ct) is { } wait) throw MatrixException.LimitExceeded(wait);
    }

    /// <summary>Refuses like <see cref="Check"/> without counting: for what counts only once it has failed.</summary>
    public async Task CheckOnly(string kind, string who, CancellationToken ct)
    {
        var (perSecond, burst) = _limits[kind];
        if (await buckets.Look($"{kind}:{who}", perSecond, burst, ct) is { } wait) throw MatrixException.LimitExceeded(wait);
    }

    /// <summary>Who an address is, for limits: whoever has one address of an IPv6 network has all 2^64 of it.</summary>
    public static string AddressKey(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    static (double PerSecond, int Burst) Limit(RateLimit limit, double perSecond, int burst) =>
        (limit.PerSecond ?? perSecond, limit.BurstCount ?? burst);
}
