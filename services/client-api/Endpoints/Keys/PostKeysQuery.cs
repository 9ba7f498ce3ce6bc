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
    const int MostUsers = 10_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/query", Handle);

    static async Task Handle(
        HttpContext context, Body<Request> body, Requester requester, PublishedKeyCache published, HomeserverOptions homeserver, CancellationToken ct)
    {
        var (local, remote) = Read(body.Value.DeviceKeys, ServerName.Parse(homeserver.ServerName));
        await published.CatchUp(ct);
        var keys = await published.Get(local.Keys, ct);
        var signed = await published.GetSignatures(requester.UserId.ToString(), ct);
        await JsonBytes.Write(context, new Answer(requester.UserId.ToString(), local, keys, signed).Write(remote), ct);
    }

    // By user the devices that are asked for; null for all of them. Whose server is another one cannot be asked yet.
    static (Dictionary<string, HashSet<string>?> Local, IReadOnlyCollection<string> Remote) Read(JsonElement users, ServerName own)
    {
        if (users.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("device_keys must be an object.");
        var local = new Dictionary<string, HashSet<string>?>(StringComparer.Ordinal);
        var remote = new HashSet<string>(StringComparer.Ordinal);
        foreach (var user in users.EnumerateObject())
        {
            if (user.Value.ValueKind != JsonValueKind.Array || user.Value.EnumerateArray().Any(device => device.ValueKind != JsonValueKind.String))
                throw MatrixException.BadJson("device_keys must have a list of device ids for each user.");
            if (!UserId.TryParse(user.Name, out var userId))
                throw MatrixException.InvalidParam("device_keys must have the ids of users.");
            if (userId.Server != own)
                remote.Add(userId.Server.ToString());
            else if (user.Value.GetArrayLength() == 0)
                local[user.Name] = null;
            else
                local[user.Name] = [.. user.Value.EnumerateArray().Select(device => device.GetString()!)];
        }
        return local.Count <= MostUsers ? (local, remote) : throw MatrixException.TooLarge("There are too many users.");
    }

    sealed record Request(JsonElement DeviceKeys);

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
                    to.Comma(ref first);
                    to.String(device.DeviceId);
                    to.Raw(":"u8);
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
                to.Comma(ref first);
                to.String(userId);
                to.Raw(":"u8);
                var own = isMaster && signed.TryGetValue(userId, out var targets)
                    ? targets.FirstOrDefault(target => target.TargetKey == KeyWriter.PublicKey(key.Keys))
                    : null;
                KeyWriter.CrossSigning(to, key, requester, own);
            }
        }
    }
}
