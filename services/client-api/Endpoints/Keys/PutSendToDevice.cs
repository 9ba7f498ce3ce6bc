using System.Text.Json;
using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}</summary>
static class PutSendToDevice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/sendToDevice/{eventType}/{txnId}", Handle);

    static async Task<Empty> Handle(string eventType, string txnId, Body<Request> body, Requester requester, ToDeviceSender sender, CancellationToken ct)
    {
        await sender.Send(requester, eventType, txnId, body.Value.Messages, ct);
        return default;
    }

    sealed record Request(JsonElement Messages);
}
