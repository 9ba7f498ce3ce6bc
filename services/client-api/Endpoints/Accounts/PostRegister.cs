using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/register</summary>
static class PostRegister
{
    const string Operation = "register";

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/register", Handle);

    static async Task<IResult> Handle(
        string? kind, Body<Request> body, HttpContext context, AccountOptions options, Usernames usernames, Registration registration,
        UserInteractive uia, SessionStore sessions, RateLimits limits, CancellationToken ct)
    {
        var request = body.Value;
        var address = RateLimits.AddressKey(context.Connection.RemoteIpAddress);
        var ip = context.Connection.RemoteIpAddress?.ToString();
        switch (kind)
        {
            case "guest":
                await limits.Check("rc_registration", address, ct);
                return Results.Json(await registration.RegisterGuest(request.InitialDeviceDisplayName, ip, ct), MatrixJson.Options);
            case not (null or "user"):
                throw MatrixException.InvalidParam("kind must be user or guest.");
        }

        if (!options.EnableRegistration) throw MatrixException.Forbidden("Registration is disabled.");
        // refused before any proof is asked for, so that nobody spends a token on a name that cannot be had
        var userId = request.Username is { } username ? usernames.Parse(username) : (UserId?)null;
        var guest = await Guest(request, userId, sessions, ct);
        if (userId is { } wanted && guest is null) await usernames.MustBeFree(wanted, ct);

        var flow = new UiaFlow(options.RegistrationRequiresToken ? UiaStages.RegistrationToken : UiaStages.Dummy);
        var outcome = await uia.Authorize(Operation, request.Auth, [flow], user: null, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;
        if (request.Password is null) throw MatrixException.MissingParam("password");
        await limits.Check("rc_registration", address, ct);

        var device = new NewDevice(request.DeviceId, request.InitialDeviceDisplayName, request.RefreshToken, ip);
        var begun = request.InhibitLogin ? null : device;
        var registered = guest is { } upgraded
            ? await registration.UpgradeGuest(upgraded, request.Password, begun, outcome.Session, ct)
            : await registration.Register(userId ?? usernames.Random(), request.Password, begun, outcome.Session, ct);
        return Results.Json(registered, MatrixJson.Options);
    }

    /// <summary>The guest who becomes an ordinary user: it proves by its token who it is, and names itself.</summary>
    static async Task<UserId?> Guest(Request request, UserId? userId, SessionStore sessions, CancellationToken ct)
    {
        if (request.GuestAccessToken is not { } token) return null;
        return await sessions.Find(SecretToken.Hash(token), ct) is { IsGuest: true, IsLocked: false } session && session.UserId == userId
            ? userId : throw MatrixException.Forbidden("The token is not of a guest of this name.");
    }

    sealed record Request(
        AuthData? Auth, string? Username, string? Password, DeviceId? DeviceId, string? InitialDeviceDisplayName, bool InhibitLogin = false,
        bool RefreshToken = false, string? GuestAccessToken = null);
}
