using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Keys;

namespace Matrix.FederationReader.Endpoints.Devices;

/// <summary>POST /_matrix/federation/v1/user/keys/query</summary>
static class PostUserKeysQuery
{
    const int MostUsers = 10_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/federation/v1/user/keys/query", Handle);

    static async Task<IResult> Handle(Origin origin, Body<Request> body, DeviceKeyStore store, ServerSigningKey own, CancellationToken ct)
    {
        _ = origin;
        var wanted = Read(body.Value.DeviceKeys, own.ServerName);
        var found = (await store.List([.. wanted.Keys], ct)).ToLookup(key => key.UserId, StringComparer.Ordinal);
        return KeyAnswer.Write(json =>
        {
            json.WriteStartObject("device_keys"u8);
            foreach (var (user, devices) in wanted)
            {
                json.WriteStartObject(user);
                foreach (var device in found[user].Where(key => key.DeviceId is { } id && (devices.Count == 0 || devices.Contains(id))))
                {
                    json.WritePropertyName(device.DeviceId!);
                    PublishedKeysJson.Write(json, device);
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
            CrossSigning(json, "master_keys", wanted.Keys, found, "master");
            CrossSigning(json, "self_signing_keys", wanted.Keys, found, "self_signing");
        });
    }

    /// <returns>By user the devices that are asked for; none: all of them.</returns>
    static Dictionary<string, HashSet<string>> Read(JsonElement users, ServerName own)
    {
        if (users.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("device_keys must be an object.");
        var wanted = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var user in users.EnumerateObject())
        {
            if (!UserId.TryParse(user.Name, out var userId) || user.Value.ValueKind != JsonValueKind.Array
                || user.Value.EnumerateArray().Any(device => device.ValueKind != JsonValueKind.String))
                throw MatrixException.BadJson("device_keys must have a list of device ids for each user.");
            if (userId.Server == own)
                wanted[user.Name] = [.. user.Value.EnumerateArray().Select(device => device.GetString()!)];
        }
        return wanted.Count <= MostUsers ? wanted : throw MatrixException.TooLarge("There are too many users.");
    }

    static void CrossSigning(Utf8JsonWriter json, string name, IEnumerable<string> users, ILookup<string, PublishedKeys> found, string usage)
    {
        json.WriteStartObject(name);
        foreach (var user in users)
            KeyAnswer.CrossSigning(json, user, found[user], usage);
        json.WriteEndObject();
    }

    sealed record Request(JsonElement DeviceKeys);
}
