using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/logout</summary>
static class PostLogout
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/logout", Handle);

    static async Task<Empty> Handle(Requester requester, DeviceStore devices, CancellationToken ct)
    {
        await devices.Delete(requester.UserId, requester.DeviceId, ct);
        return default;
    }
}
