using System.Net;
using Matrix.Protocol;

namespace Matrix.Http;

/// <summary>
/// A refusal to the caller: thrown where it is decided, turned into <c>{"errcode", "error", …}</c> by the one error handler
/// (Client-Server API, Standard error response).
/// </summary>
public sealed class MatrixException(int status, string errcode, string message, params (string Name, object Value)[] members)
    : Exception(message), IMatrixError
{
    public int Status { get; } = status;

    public string Errcode { get; } = errcode;

    /// <summary>Further members of the body, such as <c>retry_after_ms</c> or <c>soft_logout</c>.</summary>
    public IReadOnlyList<(string Name, object Value)> Members { get; } = members;

    /// <summary>How long the caller should wait; sent as Retry-After too.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    public MatrixException(HttpStatusCode status, string errcode, string message, params (string Name, object Value)[] members)
        : this((int)status, errcode, message, members)
    {
    }

    public static MatrixException Forbidden(string message = "You may not do this.") => new(403, "M_FORBIDDEN", message);

    public static MatrixException NotFound(string message = "Not found.") => new(404, "M_NOT_FOUND", message);

    public static MatrixException Unrecognized(string message = "Unrecognized request.", int status = 404) =>
        new(status, "M_UNRECOGNIZED", message);

    public static MatrixException NotJson(string message = "The body is not JSON.") => new(400, "M_NOT_JSON", message);

    public static MatrixException BadJson(string message) => new(400, "M_BAD_JSON", message);

    public static MatrixException MissingParam(string name) => new(400, "M_MISSING_PARAM", $"Missing parameter: {name}");

    public static MatrixException InvalidParam(string message) => new(400, "M_INVALID_PARAM", message);

    public static MatrixException TooLarge(string message = "The request is too large.") => new(413, "M_TOO_LARGE", message);

    public static MatrixException MissingToken() => new(401, "M_MISSING_TOKEN", "Missing access token.");

    /// <param name="softLogout">The device still exists: the client keeps its keys and logs in again.</param>
    public static MatrixException UnknownToken(bool softLogout = false, string message = "Unknown access token.") =>
        new(401, "M_UNKNOWN_TOKEN", message, ("soft_logout", softLogout));

    public static MatrixException GuestAccessForbidden() => new(403, "M_GUEST_ACCESS_FORBIDDEN", "Guests may not do this.");

    public static MatrixException UserDeactivated() => new(403, "M_USER_DEACTIVATED", "This account has been deactivated.");

    /// <summary>The sessions stay: clients keep their keys, and are let in again when the lock is lifted.</summary>
    public static MatrixException UserLocked() => new(401, "M_USER_LOCKED", "This account has been locked.", ("soft_logout", true));

    public static MatrixException UserSuspended() => new(403, "M_USER_SUSPENDED", "You cannot perform this action while suspended.");

    public static MatrixException Unknown(string message, int status = 500) => new(status, "M_UNKNOWN", message);

    /// <summary>The database is away for a while.</summary>
    public static MatrixException Unavailable() => new(503, "M_UNKNOWN", "The server's database does not answer. Try again in a moment.")
    {
        RetryAfter = TimeSpan.FromSeconds(2),
    };

    public static MatrixException LimitExceeded(TimeSpan retryAfter) =>
        new(429, "M_LIMIT_EXCEEDED", "Too many requests.", ("retry_after_ms", (long)Math.Ceiling(retryAfter.TotalMilliseconds)))
        {
            RetryAfter = retryAfter,
        };
}
