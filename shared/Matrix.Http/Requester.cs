using System.Collections.Concurrent;
using System.Reflection;
using Matrix.Protocol;
using Matrix.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Http;

/// <summary>
/// The account and device that a Client-Server request comes from. As a handler's parameter it demands an access token
/// (Client-Server API, Using access tokens): 401 M_MISSING_TOKEN, M_UNKNOWN_TOKEN, with <c>soft_logout</c> when it only expired.
/// </summary>
public sealed class Requester
{
    static readonly ConcurrentDictionary<MemberInfo, bool> Demanded = new();

    public required UserId UserId { get; init; }

    public required DeviceId DeviceId { get; init; }

    public bool IsGuest { get; init; }

    public bool IsAdmin { get; init; }

    public bool IsSuspended { get; init; }

    /// <summary>SHA-256 of the access token: what the database knows it by.</summary>
    public required byte[] AccessTokenHash { get; init; }

    /// <exception cref="MatrixException">403: the path names another user.</exception>
    public void MustBe(UserId user)
    {
        if (user != UserId) throw MatrixException.Forbidden("You may only do this for yourself.");
    }

    /// <exception cref="MatrixException">403: the account is not a server admin.</exception>
    public void MustBeAdmin()
    {
        if (!IsAdmin) throw MatrixException.Forbidden("You are not a server admin.");
    }

    /// <exception cref="MatrixException">403 M_GUEST_ACCESS_FORBIDDEN.</exception>
    public void MustNotBeGuest()
    {
        if (IsGuest) throw MatrixException.GuestAccessForbidden();
    }

    /// <exception cref="MatrixException">403 M_USER_SUSPENDED (Client-Server API, Account suspension).</exception>
    public void MustNotBeSuspended()
    {
        if (IsSuspended) throw MatrixException.UserSuspended();
    }

    public static async ValueTask<Requester?> BindAsync(HttpContext context, ParameterInfo parameter) => await Get(context);

    /// <summary>What a parameter of this type gets, for those who bind others before it.</summary>
    /// <param name="read">How the session is read where it is not in memory.</param>
    public static async ValueTask<Requester> Get(HttpContext context, SessionRead? read = null)
    {
        if (context.Features.Get<Requester>() is { } known) return known;
        var requester = await Find(context, read) ?? throw MatrixException.MissingToken();
        context.Features.Set(requester);
        return requester;
    }

    /// <summary>Whether a handler has a parameter of this type.</summary>
    internal static bool IsDemandedBy(MemberInfo handler) => Demanded.GetOrAdd(handler, static member =>
        member is MethodInfo method && method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Requester)));

    /// <summary>Null without a token; a token that is not good is refused even where none is needed.</summary>
    internal static async ValueTask<Requester?> Find(HttpContext context, SessionRead? read = null)
    {
        if (AccessToken.Find(context.Request) is not { } token) return null;
        var hash = SecretToken.Hash(token);
        var session = await context.RequestServices.GetRequiredService<SessionFinder>()
            .Get(hash, context.Connection.RemoteIpAddress?.ToString(), read, context.RequestAborted);
        if (session.IsLocked && context.GetEndpoint()?.Metadata.GetMetadata<ForLockedUsers>() is null)
            throw MatrixException.UserLocked();
        return new Requester
        {
            UserId = session.UserId,
            DeviceId = session.DeviceId,
            IsGuest = session.IsGuest,
            IsAdmin = session.IsAdmin,
            IsSuspended = session.IsSuspended,
            AccessTokenHash = hash,
        };
    }
}

/// <summary>Marks the endpoints that a locked user may call: logging out (Client-Server API, Account locking).</summary>
public sealed class ForLockedUsers
{
    public static ForLockedUsers Mark { get; } = new();
}

/// <summary>The requester where a token is welcome but not needed.</summary>
public sealed class OptionalRequester
{
    public Requester? Value { get; private init; }

    public static async ValueTask<OptionalRequester?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new() { Value = await Requester.Find(context) };
}
