using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/voip/turnServer: none is offered, which the spec says with <c>{}</c>.</summary>
static class GetTurnServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/voip/turnServer", Handle);

    static Empty Handle(Requester requester)
    {
        requester.MustNotBeGuest();
        return default;
    }
}
