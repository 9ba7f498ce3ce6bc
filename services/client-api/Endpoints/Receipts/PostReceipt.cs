using System.Text.Json;
using Matrix.ClientApi.Sync.Receipts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Receipts;

/// <summary>POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}</summary>
static class PostReceipt
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}", Handle);

    static async Task<Response> Handle(
        RoomId roomId, string receiptType, EventId eventId, Body<JsonElement>? body, Requester requester, ReadMarkers markers, CancellationToken ct)
    {
        if (receiptType is not (Receipt.Read or Receipt.PrivateRead or EventTypes.FullyRead))
            throw MatrixException.InvalidParam("This type of receipt is not known.");
        await markers.Move(roomId, requester.UserId, [(receiptType, eventId)], ThreadId(body, receiptType), ct);
        return new Response();
    }

    static string? ThreadId(Body<JsonElement>? body, string receiptType)
    {
        if (body is null || !body.Value.TryGetProperty("thread_id", out var thread))
            return null;
        if (thread.ValueKind != JsonValueKind.String || thread.GetString() is not { Length: > 0 } id)
            throw MatrixException.InvalidParam("'thread_id' must be a string that is not empty.");
        if (receiptType == EventTypes.FullyRead)
            throw MatrixException.InvalidParam("The fully-read marker has no thread.");
        return id == "main" || EventId.TryParse(id, out _) ? id : throw MatrixException.InvalidParam("'thread_id' must be an event id or main.");
    }

    sealed record Response;
}
