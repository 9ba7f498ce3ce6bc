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
        // whole events since version 1.16 of the specification: who knocks can check that they are of this room
        return new Response([.. shown.Select(pdu => JsonElement.Parse(pdu.Json.Span))]);
    }

    sealed record Response(IReadOnlyList<JsonElement> KnockRoomState);
}
