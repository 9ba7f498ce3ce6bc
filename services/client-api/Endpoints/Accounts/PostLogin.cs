using Matrix.ClientApi.Accounts;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/login</summary>
static class PostLogin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/login", Handle);

    static async Task<Response> Handle(
        Body<Request> body, HttpContext context, HomeserverOptions homeserver, AccountOptions options, LoginCheck check, Sessions sessions,
        CancellationToken ct)
    {
        var request = body.Value;
        var address = context.Connection.RemoteIpAddress;
        var account = request.Type switch
        {
            UiaStages.Password when options.PasswordConfig.Enabled =>
                await check.Password(UserOf(request), request.Password ?? throw MatrixException.MissingParam("password"), address, ct),
            UiaStages.Token when options.LoginViaExistingSession.Enabled =>
                await check.Token(request.Token ?? throw MatrixException.MissingParam("token"), address, ct),
            _ => throw MatrixException.Unknown($"Unknown login type {request.Type}", 400),
        };

        var device = new NewDevice(request.DeviceId, request.InitialDeviceDisplayName, request.RefreshToken, address?.ToString());
        // null: closed or given another password since it was checked
        var tokens = await sessions.Start(account, device, ct) ?? throw LoginCheck.Wrong();
        return new Response(
            account.UserId, tokens.DeviceId, tokens.AccessToken, tokens.RefreshToken, tokens.ExpiresInMs, account.UserId.Server,
            WellKnown.Client(homeserver));
    }

    static string UserOf(Request request) => request switch
    {
        { Identifier: { Type: "m.id.user", User: { } user } } => user,
        { Identifier.Type: "m.id.user" } => throw MatrixException.MissingParam("identifier.user"),
        { Identifier.Type: "m.id.thirdparty" or "m.id.phone" } => throw LoginCheck.Wrong(), // no account has one
        { Identifier: not null } => throw MatrixException.Unknown("Unknown identifier type.", 400),
        { User: { } user } => user,
        _ => throw MatrixException.MissingParam("identifier"),
    };

    sealed record Request(
        string Type, LoginIdentifier? Identifier, string? User, string? Password, string? Token, DeviceId? DeviceId, string? InitialDeviceDisplayName,
        bool RefreshToken = false);

    sealed record Response(
        UserId UserId, DeviceId DeviceId, string AccessToken, string? RefreshToken, long? ExpiresInMs, ServerName HomeServer,
        IReadOnlyDictionary<string, object>? WellKnown);
}
