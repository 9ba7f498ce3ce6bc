using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>POST /_matrix/client/v3/keys/signatures/upload</summary>
static class PostSignatures
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/signatures/upload", Handle);

    static async Task<Response> Handle(Body<JsonElement> body, Requester requester, SignatureUpload upload, CancellationToken ct) =>
        new(await upload.Upload(requester, body.Value, ct));

    sealed record Response(Dictionary<string, Dictionary<string, SignatureRefusal>> Failures);
}
