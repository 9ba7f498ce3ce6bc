using System.Buffers;
using System.Security.Cryptography;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/registration_tokens/new</summary>
static class PostRegistrationToken
{
    // Appendices, Opaque Identifiers
    const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
    const int Longest = 64, DefaultLength = 16;

    static readonly SearchValues<char> Allowed = SearchValues.Create(Characters);

    static readonly long Latest = new DateTimeOffset(2999, 12, 31, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/registration_tokens/new", Handle);

    static async Task<Dictionary<string, object?>> Handle(
        Body<Request> body, Requester requester, RegistrationStore store, TimeProvider time, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var (token, length, usesAllowed, expiryTime) = body.Value;
        if (token is not null && (token.Length is 0 or > Longest || token.AsSpan().ContainsAnyExcept(Allowed)))
            throw MatrixException.InvalidParam("A token has 1 to 64 of the characters A to Z, a to z, 0 to 9, . _ ~ -");
        if (length is < 1 or > Longest) throw MatrixException.InvalidParam("length must be between 1 and 64.");
        if (usesAllowed < 0) throw MatrixException.InvalidParam("uses_allowed must not be negative.");
        if (expiryTime < time.GetUtcNow().ToUnixTimeMilliseconds()) throw MatrixException.InvalidParam("expiry_time must not be in the past.");
        if (expiryTime > Latest) throw MatrixException.InvalidParam("expiry_time is too far away.");

        token ??= RandomNumberGenerator.GetString(Characters, length ?? DefaultLength);
        var expiresAt = expiryTime is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : (DateTimeOffset?)null;
        if (!await store.InsertToken(token, usesAllowed, expiresAt, ct)) throw MatrixException.InvalidParam("There is a token of this name.");
        return RegistrationTokenView.Of(new RegistrationToken(token, usesAllowed, 0, 0, expiresAt));
    }

    /// <param name="Token">Null: a random one of this length.</param>
    /// <param name="UsesAllowed">Null: any number.</param>
    /// <param name="ExpiryTime">Milliseconds since 1970; null: never.</param>
    sealed record Request(string? Token, int? Length, int? UsesAllowed, long? ExpiryTime);
}
