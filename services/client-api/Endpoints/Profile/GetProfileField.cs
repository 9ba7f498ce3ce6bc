using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>GET /_matrix/client/v3/profile/{userId}/{keyName}</summary>
static class GetProfileField
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/profile/{userId}/{keyName}", Handle);

    static async Task<Dictionary<string, JsonElement>> Handle(UserId userId, string keyName, ProfileFinder profiles, CancellationToken ct)
    {
        var fields = await profiles.Find(userId, keyName, ct) ?? throw MatrixException.NotFound("There is no such user.");
        return fields.TryGetValue(keyName, out var value) ? new() { [keyName] = value } : throw MatrixException.NotFound("The profile has no such field.");
    }
}
