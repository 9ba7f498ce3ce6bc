using System.Text.Json;
using Matrix.ClientApi.Sync.Sliding;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Sync;

/// <summary>POST /_matrix/client/v4/sync: the form that MSC4186 proposes</summary>
static class PostSlidingSync
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v4/sync", Handle);

    // pos and timeout stand in the body.
    static Task Handle(HttpContext context, Body<JsonElement> body, Requester requester, SlidingAnswers answers, CancellationToken ct)
    {
        var timeout = body.Value.TryGetProperty("timeout", out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;
        return answers.Write(context, body, requester, SlidingAnswers.Text(body.Value, "pos"), timeout, true, ct);
    }
}
