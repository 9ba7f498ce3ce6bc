using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>PUT /_matrix/client/v3/profile/{userId}/{keyName}</summary>
static class PutProfileField
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/profile/{userId}/{keyName}", Handle);

    static async Task<Empty> Handle(
        UserId userId, string keyName, Body<JsonElement> body, Requester requester, Profiles profiles, CancellationToken ct)
    {
        requester.MustBe(userId);
        requester.MustNotBeSuspended();
        if (keyName != Profiles.DisplayName) requester.MustNotBeGuest();
        if (!body.Value.TryGetProperty(keyName, out var value)) throw MatrixException.MissingParam(keyName);
        await profiles.Set(userId, keyName, value, ct);
        return default;
    }
}
