using System.Text.Json;
using Matrix.ClientApi.Sync.Sliding;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Sync;

/// <summary>POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync: what clients ask for today</summary>
static class PostUnstableSlidingSync
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", Handle);

    // pos and timeout stand in the query.
    static Task Handle(HttpContext context, Body<JsonElement> body, Requester requester, SlidingAnswers answers, CancellationToken ct)
    {
        var query = context.Request.Query;
        return answers.Write(context, body, requester, query["pos"], query["timeout"], false, ct);
    }
}
