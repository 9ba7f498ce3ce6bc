using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v3/register/available</summary>
static class GetRegisterAvailable
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/register/available", Handle);

    static async Task<Response> Handle(string? username, AccountOptions options, Usernames usernames, CancellationToken ct)
    {
        if (!options.EnableRegistration) throw MatrixException.Forbidden("Registration is disabled.");
        if (username is null) throw MatrixException.MissingParam("username");
        await usernames.MustBeFree(usernames.Parse(username), ct);
        return new Response(true);
    }

    sealed record Response(bool Available);
}
