using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}</summary>
static class PutSendKnock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/send_knock/{roomId}/{eventId}", Handle);

    static async Task<Response> Handle(
        RoomId roomId, string eventId, Origin origin, Body<JsonElement> body, MembershipHandshakes handshakes, CancellationToken ct)
    {
        var taken = await handshakes.Take(roomId, eventId, body.Utf8, "knock", origin.Server, ct);
        var shown = await handshakes.Stripped(taken.Room, ct);
        return new Response([.. shown.Select(pdu => new StrippedEvent(pdu.Type, pdu.StateKey!, pdu.Sender, pdu.Content))]);
    }

    sealed record Response(IReadOnlyList<StrippedEvent> KnockRoomState);

    sealed record StrippedEvent(string Type, string StateKey, UserId Sender, JsonElement Content);
}
