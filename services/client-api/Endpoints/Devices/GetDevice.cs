using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>GET /_matrix/client/v3/devices/{deviceId}</summary>
static class GetDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/devices/{deviceId}", Handle);

    static async Task<DeviceView> Handle(DeviceId deviceId, Requester requester, DeviceStore devices, CancellationToken ct) =>
        DeviceView.Of(await devices.Find(requester.UserId, deviceId, ct) ?? throw MatrixException.NotFound("You have no such device."));
}
