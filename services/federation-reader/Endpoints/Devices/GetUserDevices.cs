using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Keys;

namespace Matrix.FederationReader.Endpoints.Devices;

/// <summary>GET /_matrix/federation/v1/user/devices/{userId}</summary>
static class GetUserDevices
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/user/devices/{userId}", Handle);

    static async Task<IResult> Handle(UserId userId, Origin origin, DeviceKeyStore store, ServerSigningKey own, CancellationToken ct)
    {
        _ = origin;
        if (userId.Server != own.ServerName)
            throw MatrixException.InvalidParam("This is no user of this server.");
        var (streamId, keys) = await store.ListWithPosition(userId.ToString(), ct);
        return KeyAnswer.Write(json =>
        {
            json.WriteStartArray("devices"u8);
            foreach (var device in keys.Where(key => key.DeviceId is not null))
            {
                json.WriteStartObject();
                json.WriteString("device_id"u8, device.DeviceId);
                json.WritePropertyName("keys"u8);
                PublishedKeysJson.Write(json, device);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            KeyAnswer.CrossSigning(json, "master_key", keys, "master");
            KeyAnswer.CrossSigning(json, "self_signing_key", keys, "self_signing");
            json.WriteNumber("stream_id"u8, streamId);
            json.WriteString("user_id"u8, userId.ToString());
        });
    }
}
