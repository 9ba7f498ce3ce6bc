using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}</summary>
static class PutRedact
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}", Handle);

    static async Task<EventIdResponse> Handle(
        RoomId roomId, EventId eventId, string txnId, Body<JsonElement>? content, Requester requester, RoomWriter rooms, EventStore events, RateLimits limits,
        CancellationToken ct)
    {
        requester.MustNotBeGuest();
        // of one's own events even a suspended user takes back what they said
        if (requester.IsSuspended && (await events.FindByEventId(eventId, ct))?.Sender != requester.UserId)
            requester.MustNotBeSuspended();
        await limits.CheckMessage(requester, ct);
        var draft = new EventDraft(requester.UserId, EventTypes.Redaction, null, content?.Utf8 ?? "{}"u8.ToArray(), eventId);
        var sent = await rooms.Send(roomId, draft, requester.Transaction(txnId, TransactionId.Redact), ct);
        return new EventIdResponse(sent.EventId);
    }
}
