using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>GET /_matrix/client/v3/profile/{userId}/{keyName}</summary>
static class GetProfileField
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/profile/{userId}/{keyName}", Handle);

    static async Task<Dictionary<string, JsonElement>> Handle(UserId userId, string keyName, ProfileStore profiles, CancellationToken ct)
    {
        var fields = await profiles.Find(userId, ct) ?? throw MatrixException.NotFound("There is no such user.");
        var field = fields.FirstOrDefault(field => field.Field == keyName) ?? throw MatrixException.NotFound("The profile has no such field.");
        return new() { [field.Field] = JsonElement.Parse(field.Value) };
    }
}
