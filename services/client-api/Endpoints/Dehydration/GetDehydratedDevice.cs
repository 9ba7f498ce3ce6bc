using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device</summary>
static class GetDehydratedDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", Handle);

    static async Task<Response> Handle(Requester requester, DehydratedDevices devices, CancellationToken ct)
    {
        var found = await devices.Get(requester, ct);
        return new Response(found.DeviceId, JsonElement.Parse(found.Data));
    }

    sealed record Response(string DeviceId, JsonElement DeviceData);
}
