using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.FederationReader.Endpoints;

/// <summary>GET /_matrix/key/v2/query/{serverName}: another server's keys, with our signature.</summary>
static class GetKeyQuery
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/key/v2/query/{serverName}", Handle);

    static async Task<IResult> Handle(ServerName serverName, [FromQuery(Name = "minimum_valid_until_ts")] long? minimumValidUntilTs, KeyNotary notary,
        KeyRing ring, OriginLimits limits, TimeProvider time, CancellationToken ct)
    {
        var wanted = new KeyRequest(serverName, KeyRequest.Any, minimumValidUntilTs ?? time.GetUtcNow().ToUnixTimeMilliseconds());
        return await KeyLists.Answer([wanted], notary, ring, limits, ct);
    }
}

/// <summary>The answer of both key queries.</summary>
static class KeyLists
{
    /// <summary>Whoever likes may ask, so what makes us ask others has few places.</summary>
    public static async Task<IResult> Answer(IReadOnlyCollection<KeyRequest> wanted, KeyNotary notary, KeyRing ring, OriginLimits limits, CancellationToken ct)
    {
        using var place = await ring.Has(wanted, ct) ? null : limits.EnterUnsigned();
        return Write(await notary.Find(wanted, ct));
    }

    static IResult Write(IReadOnlyList<byte[]> lists)
    {
        using var json = new MemoryStream();
        json.Write("{\"server_keys\":["u8);
        for (var i = 0; i < lists.Count; i++)
        {
            if (i > 0)
                json.Write(","u8);
            json.Write(lists[i]);
        }
        json.Write("]}"u8);
        return Results.Bytes(json.ToArray(), "application/json");
    }
}
