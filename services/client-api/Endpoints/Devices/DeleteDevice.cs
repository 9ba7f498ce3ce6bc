using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>DELETE /_matrix/client/v3/devices/{deviceId}</summary>
static class DeleteDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/devices/{deviceId}", Handle);

    static Task<IResult> Handle(DeviceId deviceId, Body<Request>? body, Requester requester, DeviceRemoval removal, CancellationToken ct) =>
        removal.Remove(requester, [deviceId], body?.Value.Auth, ct);

    sealed record Request(AuthData? Auth);
}
