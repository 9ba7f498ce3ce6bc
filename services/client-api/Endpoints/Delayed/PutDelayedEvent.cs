using System.Text.Json;
using Matrix.ClientApi.Delayed;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>PUT /_matrix/client/unstable/org.matrix.msc4140/rooms/{roomId}/delayed_event/{eventType}/{txnId}</summary>
static class PutDelayedEvent
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPut("/_matrix/client/unstable/org.matrix.msc4140/rooms/{roomId}/delayed_event/{eventType}/{txnId}", Handle);

    static async Task<DelayIdResponse> Handle(
        RoomId roomId, string eventType, string txnId, Body<Request> body, Requester requester, DelayedEvents delayed, CancellationToken ct)
    {
        if (body.Value.Content.ValueKind != JsonValueKind.Object) throw MatrixException.BadJson("content must be an object.");
        var content = JsonSerializer.SerializeToUtf8Bytes(body.Value.Content);
        var draft = new EventDraft(requester.UserId, eventType, body.Value.StateKey, content);
        return new DelayIdResponse(await delayed.Schedule(requester, roomId, draft, body.Value.DelayMs, txnId, ct));
    }

    sealed record Request(long DelayMs, JsonElement Content, string? StateKey);
}

sealed record DelayIdResponse(string DelayId);
