using System.Buffers;
using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Devices;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>POST /_matrix/client/v3/keys/claim</summary>
static class PostKeysClaim
{
    const int MostDevices = 10_000, LongestTimeout = 60_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/claim", Handle);

    static async Task Handle(HttpContext context, Body<Request> body, Requester requester, KeyClaims claims, RemoteKeys others, HomeserverOptions homeserver,
        CancellationToken ct)
    {
        _ = requester;
        var (wishes, remote) = Read(body.Value.OneTimeKeys, ServerName.Parse(homeserver.ServerName));
        var failures = new HashSet<string>(StringComparer.Ordinal);
        var timeout = body.Value.Timeout is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 1, LongestTimeout)) : (TimeSpan?)null;
        var asked = others.Claim(remote, timeout, failures, ct);
        IReadOnlyList<ClaimedKey> claimed = [.. await claims.Claim(wishes, ct), .. await asked];
        var output = new ArrayBufferWriter<byte>(256 + (400 * claimed.Count));
        Write(new JsonSplicer(output), claimed, failures);
        await JsonBytes.Write(context, output.WrittenMemory, ct);
    }

    static (List<KeyWish> Wishes, IReadOnlyCollection<(UserId User, string Device, string Algorithm)> Remote) Read(JsonElement users, ServerName own)
    {
        if (users.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("one_time_keys must be an object.");
        var wishes = new HashSet<KeyWish>();
        var remote = new HashSet<(UserId, string, string)>();
        foreach (var user in users.EnumerateObject())
        {
            if (!UserId.TryParse(user.Name, out var userId) || user.Value.ValueKind != JsonValueKind.Object)
                throw MatrixException.InvalidParam("one_time_keys must be an object of users, each an object of devices.");
            foreach (var device in user.Value.EnumerateObject())
            {
                if (device.Value.ValueKind != JsonValueKind.String || device.Value.GetString() is not { } algorithm
                    || !SignedObject.IsText(device.Name) || !SignedObject.IsText(algorithm))
                    throw MatrixException.InvalidParam("one_time_keys must name an algorithm for each device.");
                if (userId.Server == own)
                    wishes.Add(new KeyWish(user.Name, device.Name, algorithm));
                else
                    remote.Add((userId, device.Name, algorithm));
            }
        }
        return wishes.Count + remote.Count <= MostDevices ? ([.. wishes], remote) : throw MatrixException.TooLarge("There are too many devices.");
    }

    static void Write(JsonSplicer to, IReadOnlyList<ClaimedKey> claimed, IReadOnlyCollection<string> unreachable)
    {
        to.Raw("{\"one_time_keys\":{"u8);
        var firstUser = true;
        foreach (var user in claimed.GroupBy(key => key.UserId))
        {
            to.Comma(ref firstUser);
            to.String(user.Key);
            to.Raw(":{"u8);
            var first = true;
            foreach (var key in user)
            {
                to.Comma(ref first);
                to.String(key.DeviceId);
                to.Raw(":{"u8);
                to.String($"{key.Algorithm}:{key.KeyId}");
                to.Raw(":"u8);
                to.Raw(key.Key);
                to.Raw("}"u8);
            }
            to.Raw("}"u8);
        }
        to.Raw("},\"failures\":{"u8);
        Unreachable.Write(to, unreachable);
        to.Raw("}}"u8);
    }

    /// <param name="Timeout">Milliseconds.</param>
    sealed record Request(JsonElement OneTimeKeys, long? Timeout);
}
