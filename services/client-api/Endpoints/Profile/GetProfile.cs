using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>GET /_matrix/client/v3/profile/{userId}</summary>
static class GetProfile
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/profile/{userId}", Handle);

    static async Task<Dictionary<string, JsonElement>> Handle(UserId userId, ProfileStore profiles, CancellationToken ct)
    {
        var fields = await profiles.Find(userId, ct) ?? throw MatrixException.NotFound("There is no such user.");
        return fields.ToDictionary(field => field.Field, field => JsonElement.Parse(field.Value));
    }
}
