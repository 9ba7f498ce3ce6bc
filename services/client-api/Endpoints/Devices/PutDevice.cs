using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>PUT /_matrix/client/v3/devices/{deviceId}</summary>
static class PutDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/devices/{deviceId}", Handle);

    static async Task<Empty> Handle(DeviceId deviceId, Body<Request> body, Requester requester, DeviceStore devices, CancellationToken ct)
    {
        if (body.Value.DisplayName is { Length: > Sessions.LongestName }) throw MatrixException.InvalidParam("The name of the device is too long.");
        if (!await devices.Rename(requester.UserId, deviceId, body.Value.DisplayName, ct))
            throw MatrixException.NotFound("You have no such device.");
        return default;
    }

    /// <param name="DisplayName">Null: the name stays as it is.</param>
    sealed record Request(string? DisplayName);
}
