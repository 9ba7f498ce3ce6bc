using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v3/account/3pid: no account has any yet.</summary>
static class GetThreepids
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/account/3pid", Handle);

    static Response Handle(Requester requester)
    {
        requester.MustNotBeGuest();
        return new Response([]);
    }

    sealed record Response(object[] Threepids);
}
