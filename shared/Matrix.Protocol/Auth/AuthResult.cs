namespace Matrix.Protocol;

/// <summary>What the auth rules say of an event.</summary>
public sealed record AuthResult
{
    AuthResult(string? rule, string? reason) => (Rule, Reason) = (rule, reason);

    /// <summary>The event may be in the room.</summary>
    public static AuthResult Allow { get; } = new(null, null);

    /// <summary>May the event be in the room?</summary>
    public bool Allowed => Rule is null;

    /// <summary>The rule that refused, as a dotted name that is the same in every room version, such as <c>member.join.banned</c>; null if allowed.</summary>
    public string? Rule { get; }

    /// <summary>The refusal in words; null if allowed.</summary>
    public string? Reason { get; }

    internal static AuthResult Refuse(string rule, string reason) => new(rule, reason);

    internal static AuthResult AllowIf(bool allowed, string rule, string reason) => allowed ? Allow : new(rule, reason);
}
