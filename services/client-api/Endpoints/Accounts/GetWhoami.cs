using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>GET /_matrix/client/v3/account/whoami</summary>
static class GetWhoami
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/account/whoami", Handle);

    static Response Handle(Requester requester) => new(requester.UserId, requester.DeviceId, requester.IsGuest);

    sealed record Response(UserId UserId, DeviceId DeviceId, bool IsGuest);
}
