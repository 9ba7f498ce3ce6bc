using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>GET /_matrix/client/v3/profile/{userId}</summary>
static class GetProfile
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/profile/{userId}", Handle);

    static async Task<Dictionary<string, JsonElement>> Handle(UserId userId, ProfileFinder profiles, CancellationToken ct)
    {
        return await profiles.Find(userId, null, ct) ?? throw MatrixException.NotFound("There is no such user.");
    }
}
