using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>PUT /_matrix/client/v3/devices/{deviceId}</summary>
static class PutDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/devices/{deviceId}", Handle);

    static async Task<Empty> Handle(DeviceId deviceId, Body<Request> body, Requester requester, DeviceStore devices, LogWriter log, CancellationToken ct)
    {
        if (body.Value.DisplayName is { Length: > Sessions.LongestName }) throw MatrixException.InvalidParam("The name of the device is too long.");
        var device = await devices.Find(requester.UserId, deviceId, ct) ?? throw MatrixException.NotFound("You have no such device.");
        // others are shown the name with the device's keys
        if (body.Value.DisplayName is { } name && name != device.DisplayName)
            await log.Append(new DeviceRenamed(requester.UserId.ToString(), deviceId.ToString(), name), ct);
        return default;
    }

    /// <param name="DisplayName">Null: the name stays as it is.</param>
    sealed record Request(string? DisplayName);
}
