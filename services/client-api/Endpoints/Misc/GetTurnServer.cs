using System.Security.Cryptography;
using System.Text;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>GET /_matrix/client/v3/voip/turnServer: <c>{}</c> where none is configured.</summary>
static class GetTurnServer
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/voip/turnServer", Handle);

    static IResult Handle(Requester requester, TurnOptions options, TimeProvider time)
    {
        if (!options.TurnAllowGuests) requester.MustNotBeGuest();
        if (options.TurnUris.Count == 0) return Empty.Result;
        if (options.TurnSharedSecret is { } secret)
        {
            // the TURN server checks it by itself: the REST API for access to TURN services, draft-uberti-behave-turn-rest
            var username = $"{(time.GetUtcNow() + options.TurnUserLifetime).ToUnixTimeSeconds()}:{requester.UserId}";
            return Answer(options, username, Password(secret, username));
        }
        return options is { TurnUsername: { } name, TurnPassword: { } password } ? Answer(options, name, password) : Empty.Result;
    }

    static IResult Answer(TurnOptions options, string username, string password) =>
        Results.Json(new Response(username, password, (long)options.TurnUserLifetime.TotalSeconds, options.TurnUris), MatrixJson.Options);

#pragma warning disable CA5350 // the protocol of TURN servers is HMAC-SHA1
    static string Password(string secret, string username) =>
        Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(username)));
#pragma warning restore CA5350

    sealed record Response(string Username, string Password, long Ttl, IReadOnlyList<string> Uris);
}
