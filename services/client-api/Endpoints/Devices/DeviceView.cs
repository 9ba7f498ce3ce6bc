using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>A device as its owner sees it.</summary>
/// <param name="LastSeenTs">Milliseconds since 1970.</param>
sealed record DeviceView(DeviceId DeviceId, string? DisplayName, string? LastSeenIp, long? LastSeenTs)
{
    public static DeviceView Of(Device device) =>
        new(device.DeviceId, device.DisplayName, device.LastSeenIp, device.LastSeenAt?.ToUnixTimeMilliseconds());
}
