using Matrix.ClientApi.Sync.Devices;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Messages to the device. Every answer says how far it has them, so that the log alone tells whether there are others.</summary>
sealed class ToDeviceExtension(ToDeviceReader reader)
{
    public async Task Fill(ExtensionContext context, int limit, CancellationToken ct)
    {
        var (request, result) = (context.Request, context.Result);
        var after = request.ToDeviceSince ?? LogPosition.Start;
        var none = request.Since is { } since && after >= since && !context.Window.HasToDevice;
        result.Extensions.ToDevice = none
            ? new ToDeviceBatch([], Max(after, result.Position), false)
            : await reader.Read(request.UserId, request.DeviceId, after, result.Position, limit, ct);
    }

    static LogPosition Max(LogPosition a, LogPosition b) => a > b ? a : b;
}
