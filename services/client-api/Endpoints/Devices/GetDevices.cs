using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>GET /_matrix/client/v3/devices</summary>
static class GetDevices
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/devices", Handle);

    static async Task<Response> Handle(Requester requester, DeviceStore devices, CancellationToken ct) =>
        new([.. (await devices.List(requester.UserId, ct)).Select(DeviceView.Of)]);

    sealed record Response(DeviceView[] Devices);
}
