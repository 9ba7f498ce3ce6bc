using System.Text.Json.Serialization;
using Matrix.ClientApi.Sync.Receipts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Receipts;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/read_markers</summary>
static class PostReadMarkers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/read_markers", Handle);

    static async Task<Response> Handle(RoomId roomId, Body<Markers> body, Requester requester, ReadMarkers markers, CancellationToken ct)
    {
        var all = body.Value.All.Where(marker => marker.EventId is not null).Select(marker => (marker.Type, marker.EventId!.Value)).ToList();
        await markers.Move(roomId, requester.UserId, all, null, ct);
        return new Response();
    }

    sealed record Markers(
        [property: JsonPropertyName("m.fully_read")] EventId? FullyRead,
        [property: JsonPropertyName("m.read")] EventId? Read,
        [property: JsonPropertyName("m.read.private")] EventId? PrivateRead)
    {
        [JsonIgnore]
        public IEnumerable<(string Type, EventId? EventId)> All =>
            [(EventTypes.FullyRead, FullyRead), (Receipt.Read, Read), (Receipt.PrivateRead, PrivateRead)];
    }

    sealed record Response;
}
