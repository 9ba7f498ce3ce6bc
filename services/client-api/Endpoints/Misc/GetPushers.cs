using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/pushers: nobody could set one yet.</summary>
static class GetPushers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushers", Handle);

    static Response Handle(Requester requester)
    {
        requester.MustNotBeGuest();
        return new Response([]);
    }

    sealed record Response(object[] Pushers);
}
