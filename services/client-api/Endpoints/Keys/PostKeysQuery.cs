using System.Buffers;
using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.ClientApi.Sync;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>POST /_matrix/client/v3/keys/query</summary>
static class PostKeysQuery
{
    const int MostUsers = 10_000, LongestTimeout = 60_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/query", Handle);

    static async Task Handle(
        HttpContext context, Body<Request> body, Requester requester, PublishedKeyCache published, RemoteKeys others, HomeserverOptions homeserver,
        CancellationToken ct)
    {
        var (asked, remote) = Read(body.Value.DeviceKeys, ServerName.Parse(homeserver.ServerName));
        await published.CatchUp(ct);
        var keys = await published.Get([.. asked.Keys.Except(remote.Select(user => user.ToString()))], ct);
        var failures = new HashSet<string>(StringComparer.Ordinal);
        var timeout = body.Value.Timeout is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 1, LongestTimeout)) : (TimeSpan?)null;
        foreach (var (user, theirs) in await others.Query(requester.UserId, remote, timeout, failures, ct))
            keys[user] = theirs;
        foreach (var user in remote.Select(user => user.ToString()).Where(user => !keys.ContainsKey(user)))
            asked.Remove(user);
        var signed = await published.GetSignatures(requester.UserId.ToString(), ct);
        await JsonBytes.Write(context, new Answer(requester.UserId.ToString(), asked, keys, signed).Write(failures), ct);
    }

    // By user the devices that are asked for; null for all of them. And who of the users is another server's.
    static (Dictionary<string, HashSet<string>?> Asked, IReadOnlyCollection<UserId> Remote) Read(JsonElement users, ServerName own)
    {
        if (users.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("device_keys must be an object.");
        var asked = new Dictionary<string, HashSet<string>?>(StringComparer.Ordinal);
        var remote = new HashSet<UserId>();
        foreach (var user in users.EnumerateObject())
        {
            if (user.Value.ValueKind != JsonValueKind.Array || user.Value.EnumerateArray().Any(device => device.ValueKind != JsonValueKind.String))
                throw MatrixException.BadJson("device_keys must have a list of device ids for each user.");
            if (!UserId.TryParse(user.Name, out var userId))
                throw MatrixException.InvalidParam("device_keys must have the ids of users.");
            if (userId.Server != own)
                remote.Add(userId);
            if (user.Value.GetArrayLength() == 0)
                asked[user.Name] = null;
            else
                asked[user.Name] = [.. user.Value.EnumerateArray().Select(device => device.GetString()!)];
        }
        return asked.Count <= MostUsers ? (asked, remote) : throw MatrixException.TooLarge("There are too many users.");
    }

    /// <param name="Timeout">Milliseconds.</param>
    sealed record Request(JsonElement DeviceKeys, long? Timeout);

    readonly struct Answer(
        string requester, Dictionary<string, HashSet<string>?> asked, Dictionary<string, UserKeys> keys, IReadOnlyDictionary<string, SignedKey[]> signed)
    {
        public ReadOnlyMemory<byte> Write(IReadOnlyCollection<string> unreachable)
        {
            var output = new ArrayBufferWriter<byte>(1024 + (1024 * asked.Count));
            var to = new JsonSplicer(output);
            to.Raw("{\"device_keys\":{"u8);
            Devices(to);
            to.Raw("},\"master_keys\":{"u8);
            CrossSigning(to, user => user.Master, true);
            to.Raw("},\"self_signing_keys\":{"u8);
            CrossSigning(to, user => user.SelfSigning, false);
            to.Raw("},\"user_signing_keys\":{"u8);
            // nobody else is shown whom a user trusts, nor by which key
            if (asked.ContainsKey(requester) && keys[requester].UserSigning is { } userSigning)
            {
                to.String(requester);
                to.Raw(":"u8);
                KeyWriter.CrossSigning(to, userSigning, requester, null);
            }
            to.Raw("},\"failures\":{"u8);
            Unreachable.Write(to, unreachable);
            to.Raw("}}"u8);
            return output.WrittenMemory;
        }

        void Devices(JsonSplicer to)
        {
            var firstUser = true;
            foreach (var (userId, wanted) in asked)
            {
                to.Comma(ref firstUser);
                to.String(userId);
                to.Raw(":{"u8);
                var first = true;
                foreach (var device in keys[userId].Devices)
                {
                    if (wanted is not null && !wanted.Contains(device.DeviceId))
                        continue;
                    to.Name(ref first, device.DeviceId);
                    to.Raw(device.Encoded);
                }
                to.Raw("}"u8);
            }
        }

        void CrossSigning(JsonSplicer to, Func<UserKeys, CrossSigningKey?> choose, bool isMaster)
        {
            var first = true;
            foreach (var userId in asked.Keys)
            {
                if (choose(keys[userId]) is not { } key)
                    continue;
                to.Name(ref first, userId);
                var own = isMaster && signed.TryGetValue(userId, out var targets)
                    ? targets.FirstOrDefault(target => target.TargetKey == KeyWriter.PublicKey(key.Keys))
                    : null;
                KeyWriter.CrossSigning(to, key, requester, own);
            }
        }
    }
}
