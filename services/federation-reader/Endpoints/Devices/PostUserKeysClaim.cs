using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Devices;

namespace Matrix.FederationReader.Endpoints.Devices;

/// <summary>POST /_matrix/federation/v1/user/keys/claim</summary>
static class PostUserKeysClaim
{
    const int MostDevices = 10_000, LongestName = 512;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/federation/v1/user/keys/claim", Handle);

    static async Task<IResult> Handle(Origin origin, Body<Request> body, KeyClaims claims, ServerSigningKey own, CancellationToken ct)
    {
        _ = origin;
        var claimed = await claims.Claim(Read(body.Value.OneTimeKeys, own.ServerName), ct);
        return KeyAnswer.Write(json =>
        {
            json.WriteStartObject("one_time_keys"u8);
            foreach (var user in claimed.GroupBy(key => key.UserId))
            {
                json.WriteStartObject(user.Key);
                foreach (var device in user.GroupBy(key => key.DeviceId))
                {
                    json.WriteStartObject(device.Key);
                    foreach (var key in device)
                    {
                        json.WritePropertyName($"{key.Algorithm}:{key.KeyId}");
                        json.WriteRawValue(key.Key, skipInputValidation: true);
                    }
                    json.WriteEndObject();
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    static List<KeyWish> Read(JsonElement users, ServerName own)
    {
        if (users.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("one_time_keys must be an object.");
        var wishes = new HashSet<KeyWish>();
        foreach (var user in users.EnumerateObject())
        {
            if (!UserId.TryParse(user.Name, out var userId) || user.Value.ValueKind != JsonValueKind.Object)
                throw MatrixException.BadJson("one_time_keys must be an object of users, each an object of devices.");
            foreach (var device in user.Value.EnumerateObject())
            {
                if (device.Value.ValueKind != JsonValueKind.String || device.Value.GetString() is not { } algorithm || !IsName(device.Name) || !IsName(algorithm))
                    throw MatrixException.BadJson("one_time_keys must name an algorithm for each device.");
                if (userId.Server == own)
                    wishes.Add(new KeyWish(user.Name, device.Name, algorithm));
            }
        }
        return wishes.Count <= MostDevices ? [.. wishes] : throw MatrixException.TooLarge("There are too many devices.");
    }

    static bool IsName(string text) => text.Length is > 0 and <= LongestName && !text.Contains('\0', StringComparison.Ordinal);

    sealed record Request(JsonElement OneTimeKeys);
}
