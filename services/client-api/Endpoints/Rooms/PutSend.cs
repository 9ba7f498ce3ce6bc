using System.Text.Json;
using Matrix.ClientApi.Delayed;
using Matrix.ClientApi.Endpoints.Delayed;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}</summary>
static class PutSend
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}", Handle);

    static async Task<IResult> Handle(
        RoomId roomId, string eventType, string txnId, Body<JsonElement> content, Requester requester, RoomWriter rooms, RateLimits limits, PresenceExchange presence,
        DelayedEvents delayed, HttpContext context, CancellationToken ct)
    {
        var draft = EventDraft.Message(requester.UserId, eventType, content.Utf8);
        if (DelayQuery.Of(context) is { } delay) return await delayed.Schedule(requester, roomId, draft, delay, ct, txnId);
        requester.MustNotBeSuspended();
        await limits.CheckMessage(requester, ct);
        presence.Active(requester.UserId.ToString());
        var sent = await rooms.Send(roomId, draft, requester.Transaction(txnId, TransactionId.Send), ct);
        return Results.Json(new EventIdResponse(sent.EventId), MatrixJson.Options);
    }
}
