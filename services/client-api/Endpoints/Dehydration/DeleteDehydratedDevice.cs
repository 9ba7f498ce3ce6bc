using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>DELETE /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device</summary>
static class DeleteDehydratedDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", Handle);

    static async Task<DehydratedId> Handle(Requester requester, DehydratedDevices devices, CancellationToken ct)
    {
        var found = await devices.Get(requester, ct);
        await devices.Delete(requester, ct);
        return new DehydratedId(found.DeviceId);
    }
}
