using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device</summary>
static class PutDehydratedDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", Handle);

    static async Task<DehydratedId> Handle(Body<NewDehydratedDevice> body, Requester requester, DehydratedDevices devices, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        await devices.Put(requester, body.Value, ct);
        return new DehydratedId(body.Value.DeviceId.ToString());
    }
}

sealed record DehydratedId(string DeviceId);
