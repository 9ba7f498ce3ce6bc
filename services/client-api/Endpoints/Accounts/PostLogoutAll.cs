using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/logout/all</summary>
static class PostLogoutAll
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/logout/all", Handle);

    static async Task<Empty> Handle(Requester requester, DeviceStore devices, CancellationToken ct)
    {
        await devices.DeleteAll(requester.UserId, ct);
        return default;
    }
}
