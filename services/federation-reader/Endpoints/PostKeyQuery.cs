using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.FederationReader.Endpoints;

/// <summary>POST /_matrix/key/v2/query: the keys of several servers, with our signature.</summary>
static class PostKeyQuery
{
    const int MostServers = 200, MostKeys = 1000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/key/v2/query", Handle);

    static async Task<IResult> Handle(Body<Request> body, KeyNotary notary, KeyRing ring, OriginLimits limits, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var wanted = new List<KeyRequest>();
        if (body.Value.ServerKeys.Values.Any(keys => keys?.Values.All(criteria => criteria is not null) != true))
            throw MatrixException.BadJson("server_keys must name an object for each server and key.");
        if (body.Value.ServerKeys.Count > MostServers || body.Value.ServerKeys.Sum(server => server.Value.Count) > MostKeys)
            throw MatrixException.TooLarge("These are too many keys for one query.");
        foreach (var (server, keys) in body.Value.ServerKeys)
        {
            var name = ServerName.TryParse(server, out var parsed) ? parsed : throw MatrixException.InvalidParam($"'{server}' is not a server name.");
            if (keys.Count == 0)
                wanted.Add(new KeyRequest(name, KeyRequest.Any, now));
            foreach (var (id, criteria) in keys)
            {
                if (!KeyId.TryParse(id, out var key))
                    throw MatrixException.InvalidParam($"'{id}' is not a key id.");
                wanted.Add(new KeyRequest(name, key, criteria.MinimumValidUntilTs ?? now));
            }
        }
        return await KeyLists.Answer(wanted, notary, ring, limits, ct);
    }

    sealed record Request(Dictionary<string, Dictionary<string, Criteria>> ServerKeys);

    sealed record Criteria(long? MinimumValidUntilTs);
}
