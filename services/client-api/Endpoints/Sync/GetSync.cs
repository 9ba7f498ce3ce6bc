using System.Globalization;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Filters;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Hosting.Health;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Sync;

/// <summary><c>GET /_matrix/client/v3/sync</c></summary>
static class GetSync
{
    const int LongestTimeout = 600_000;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/sync", Handle);

    static async Task Handle(
        HttpContext context, Requester requester, FilterCache filters, SyncEngine engine, FederationFormat federation, PresenceExchange presence, TimeProvider time,
        CancellationToken ct)
    {
        var query = context.Request.Query;
        var since = Since(query["since"]);
        var request = new SyncRequest(
            requester.UserId.ToString(), requester.DeviceId.ToString(), since?.Position, since?.Typing,
            await filters.Get(requester.UserId, query["filter"], ct), Flag(query, "full_state"), StateAfterOf(query), AnswerNow.IsAsked(context) ? TimeSpan.Zero : Timeout(query["timeout"]))
        {
            ToDeviceSince = since?.ToDevice,
            PresenceSince = since?.Presence,
        };
        using var present = presence.Begin(request.UserId, request.DeviceId, Presence(query["set_presence"]));
        var result = await engine.Sync(request, ct);
        if (request.Filter.EventFormat == EventFormat.Federation)
            await federation.Apply(result, ct);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await JsonBytes.Write(context, (request, result, now), (to, told) => SyncWriter.Write(to, told.request, told.result, told.now), ct);
    }

    static SyncToken? Since(string? since) => string.IsNullOrEmpty(since) ? null
        : SyncToken.TryParse(since, out var token) && token.Position.Value >= 0 ? token
        : throw MatrixException.InvalidParam("'since' is not a token of this server.");

    static TimeSpan Timeout(string? timeout) => string.IsNullOrEmpty(timeout) ? TimeSpan.Zero
        : long.TryParse(timeout, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) ? TimeSpan.FromMilliseconds(Math.Min(ms, LongestTimeout))
        : throw MatrixException.InvalidParam("'timeout' must be a number of milliseconds.");

    static bool Flag(IQueryCollection query, string name) => (string?)query[name] switch
    {
        null or "" or "false" => false,
        "true" => true,
        _ => throw MatrixException.InvalidParam($"'{name}' must be true or false."),
    };

    // Both names of the parameter, each answered by its own (MSC4222).
    static StateAfter StateAfterOf(IQueryCollection query) =>
        Flag(query, "use_state_after") ? StateAfter.Stable
        : Flag(query, "org.matrix.msc4222.use_state_after") ? StateAfter.Unstable
        : StateAfter.No;

    static string Presence(string? presence) => string.IsNullOrEmpty(presence) ? PresenceState.Online
        : PresenceState.IsKnown(presence) ? presence
        : throw MatrixException.InvalidParam("'set_presence' is not known.");
}
