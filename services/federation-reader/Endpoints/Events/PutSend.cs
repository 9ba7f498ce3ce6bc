using System.Text.Json;
using Matrix.FederationReader.Receiving;
using Matrix.Http;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary><c>PUT /_matrix/federation/v1/send/{txnId}</c>: events, and what is no event, of another server.</summary>
static class PutSend
{
    const int MaxTxnId = 255;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/send/{txnId}", Handle);

    static async Task<IResult> Handle(string txnId, Origin origin, Body<JsonElement> body, TransactionReceiver receiver, CancellationToken ct)
    {
        if (txnId.Length > MaxTxnId || txnId.Contains('\0', StringComparison.Ordinal))
            throw MatrixException.InvalidParam("That is no transaction id.");
        return Results.Bytes(await receiver.Receive(origin.Server, txnId, body.Value, ct), "application/json");
    }
}
