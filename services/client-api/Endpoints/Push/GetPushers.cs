using System.Text.Json;
using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Storage.Push;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>GET /_matrix/client/v3/pushers</summary>
static class GetPushers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/pushers", Handle);

    static async Task<Response> Handle(Requester requester, PusherStore pushers, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        return new Response([.. (await pushers.List(requester.UserId, ct)).Select(View.Of)]);
    }

    sealed record Response(IReadOnlyList<View> Pushers);

    sealed record View(
        string Pushkey, string Kind, string AppId, string AppDisplayName, string DeviceDisplayName, string? ProfileTag, string Lang, JsonElement Data,
        [property: JsonPropertyName("org.matrix.msc3881.enabled")] bool Enabled,
        [property: JsonPropertyName("org.matrix.msc3881.device_id")] string DeviceId)
    {
        public static View Of(Pusher p) => new(p.Pushkey, p.Kind, p.AppId, p.AppDisplayName, p.DeviceDisplayName, p.ProfileTag, p.Lang,
            JsonElement.Parse(p.Data), p.Enabled, p.DeviceId);
    }
}
