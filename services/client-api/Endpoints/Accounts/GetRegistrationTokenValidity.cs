using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v1/register/m.login.registration_token/validity</summary>
static class GetRegistrationTokenValidity
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/register/m.login.registration_token/validity", Handle);

    static async Task<Response> Handle(
        string? token, HttpContext context, AccountOptions options, RegistrationStore registration, RateLimits limits, CancellationToken ct)
    {
        if (!options.EnableRegistration) throw MatrixException.Forbidden("Registration is disabled.");
        if (token is null) throw MatrixException.MissingParam("token");
        await limits.Check("rc_registration_token_validity", RateLimits.AddressKey(context.Connection.RemoteIpAddress), ct);
        return new Response(await registration.IsValid(token, ct));
    }

    sealed record Response(bool Valid);
}
