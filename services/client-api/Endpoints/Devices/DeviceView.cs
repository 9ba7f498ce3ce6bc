using System.Text.Json.Serialization;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>A device as its owner sees it. What is not known is null, not absent: matrix-nio refuses the answer otherwise.</summary>
/// <param name="LastSeenTs">Milliseconds since 1970.</param>
sealed record DeviceView(
    DeviceId DeviceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? DisplayName,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastSeenIp,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? LastSeenTs)
{
    public static DeviceView Of(Device device) =>
        new(device.DeviceId, device.DisplayName, device.LastSeenIp, device.LastSeenAt?.ToUnixTimeMilliseconds());
}
