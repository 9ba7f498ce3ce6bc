using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using Matrix.Replication;
using Microsoft.Extensions.Configuration;

namespace Matrix.Http;

/// <summary>A steady rate, and how much may come at once. What is not configured keeps its default.</summary>
public sealed class RateLimit
{
    /// <summary>How many a second in the long run.</summary>
    [Range(0.000001, 1_000_000)] public double PerSecond { get; init; }

    /// <summary>How many may come at once, after a while without any.</summary>
    [Range(1, 1_000_000)] public int BurstCount { get; init; }
}

/// <summary>The keys <c>rc_*</c> of homeserver.yaml. Each limit holds over all replicas together.</summary>
public sealed class RateLimitOptions
{
    /// <summary>Events that a user sends.</summary>
    public RateLimit RcMessage { get; init; } = new() { PerSecond = 0.2, BurstCount = 10 };

    /// <summary>Registrations from an address, those of guests too.</summary>
    public RateLimit RcRegistration { get; init; } = new() { PerSecond = 0.17, BurstCount = 3 };

    /// <summary>Questions from an address whether a registration token is valid.</summary>
    public RateLimit RcRegistrationTokenValidity { get; init; } = new() { PerSecond = 0.1, BurstCount = 5 };

    /// <summary>Reports by a user, of events, rooms and other users.</summary>
    public RateLimit RcReports { get; init; } = new() { PerSecond = 1, BurstCount = 5 };

    /// <summary>Rendezvous for signing in by QR code that are opened from an address.</summary>
    public RateLimit RcRendezvous { get; init; } = new() { PerSecond = 0.2, BurstCount = 10 };

    /// <summary>What a user does with delayed events: sending, cancelling and restarting them. Of who gives no token, by address.</summary>
    public RateLimit RcDelayedEventMgmt { get; init; } = new() { PerSecond = 1, BurstCount = 5 };

    /// <summary>Mail addresses that a user has mail sent to.</summary>
    [ConfigurationKeyName("rc_3pid_validation")] public RateLimit RcThreepidValidation { get; init; } = new() { PerSecond = 0.003, BurstCount = 5 };

    /// <summary>Attempts to log in.</summary>
    public LoginLimits RcLogin { get; init; } = new();

    /// <summary>Joins by a user.</summary>
    public JoinLimits RcJoins { get; init; } = new();

    /// <summary>Invites.</summary>
    public InviteLimits RcInvites { get; init; } = new();

    public sealed class LoginLimits
    {
        /// <summary>Attempts from an address.</summary>
        public RateLimit Address { get; init; } = new() { PerSecond = 0.003, BurstCount = 5 };

        /// <summary>Successful ones for an account.</summary>
        public RateLimit Account { get; init; } = new() { PerSecond = 0.003, BurstCount = 5 };

        /// <summary>Failed ones for an account. Beyond it a right password is refused as well.</summary>
        public RateLimit FailedAttempts { get; init; } = new() { PerSecond = 0.17, BurstCount = 3 };
    }

    public sealed class JoinLimits
    {
        /// <summary>Joins by a user of rooms that somebody of this server is in already, and knocks at any.</summary>
        public RateLimit Local { get; init; } = new() { PerSecond = 0.1, BurstCount = 10 };

        /// <summary>Joins by a user of rooms that nobody of this server is in: other servers are asked, and send all of the room's state.</summary>
        public RateLimit Remote { get; init; } = new() { PerSecond = 0.01, BurstCount = 10 };
    }

    public sealed class InviteLimits
    {
        /// <summary>Into a room.</summary>
        public RateLimit PerRoom { get; init; } = new() { PerSecond = 0.3, BurstCount = 10 };

        /// <summary>Of a user, whoever invites, from other servers too.</summary>
        public RateLimit PerUser { get; init; } = new() { PerSecond = 0.003, BurstCount = 5 };

        /// <summary>By a user.</summary>
        public RateLimit PerIssuer { get; init; } = new() { PerSecond = 0.3, BurstCount = 10 };
    }
}

/// <summary>Limits what comes too often, over all replicas together (<see cref="RateBuckets"/>).</summary>
public sealed class RateLimits(RateBuckets buckets, RateLimitOptions options)
{
    readonly Dictionary<string, RateLimit> _limits = new()
    {
        ["rc_message"] = options.RcMessage,
        ["rc_registration"] = options.RcRegistration,
        ["rc_registration_token_validity"] = options.RcRegistrationTokenValidity,
        ["rc_delayed_event_mgmt"] = options.RcDelayedEventMgmt,
        ["rc_rendezvous"] = options.RcRendezvous,
        ["rc_reports"] = options.RcReports,
        ["rc_3pid_validation"] = options.RcThreepidValidation,
        ["rc_login.address"] = options.RcLogin.Address,
        ["rc_login.account"] = options.RcLogin.Account,
        ["rc_login.failed_attempts"] = options.RcLogin.FailedAttempts,
        ["rc_joins.local"] = options.RcJoins.Local,
        ["rc_joins.remote"] = options.RcJoins.Remote,
        ["rc_invites.per_room"] = options.RcInvites.PerRoom,
        ["rc_invites.per_user"] = options.RcInvites.PerUser,
        ["rc_invites.per_issuer"] = options.RcInvites.PerIssuer,
    };

    /// <summary>Counts one more.</summary>
    /// <param name="kind">The configuration's key, such as <c>rc_message</c> or <c>rc_login.address</c>.</param>
    /// <param name="who">The user, room or address that is limited.</param>
    /// <exception cref="MatrixException">429 M_LIMIT_EXCEEDED with how long to wait.</exception>
    public async Task Check(string kind, string who, CancellationToken ct)
    {
        var limit = _limits[kind];
        if (await buckets.Take($"{kind}:{who}", limit.PerSecond, limit.BurstCount, ct) is { } wait) throw MatrixException.LimitExceeded(wait);
    }

    /// <summary>Refuses like <see cref="Check"/> without counting: for what counts only once it has failed.</summary>
    public async Task CheckOnly(string kind, string who, CancellationToken ct)
    {
        var limit = _limits[kind];
        if (await buckets.Look($"{kind}:{who}", limit.PerSecond, limit.BurstCount, ct) is { } wait) throw MatrixException.LimitExceeded(wait);
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
}
