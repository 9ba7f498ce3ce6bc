using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>GET /_matrix/federation/v1/query/profile</summary>
static class GetQueryProfile
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/query/profile", Handle);

    static async Task<Dictionary<string, JsonElement>> Handle(
        string? user_id, string? field, Origin origin, ProfileStore profiles, ServerSigningKey own, CancellationToken ct)
    {
        if (user_id is null)
            throw MatrixException.MissingParam("user_id");
        if (!UserId.TryParse(user_id, out var userId) || userId.Server != own.ServerName)
            throw MatrixException.InvalidParam("user_id is no user of this server.");
        var fields = await profiles.Find(userId, ct) ?? throw MatrixException.NotFound("There is no such user.");
        return fields.Where(f => field is null || f.Field == field).ToDictionary(f => f.Field, f => JsonElement.Parse(f.Value));
    }
}
