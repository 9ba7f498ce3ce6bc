using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}</summary>
static class PutSendLeave
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v2/send_leave/{roomId}/{eventId}", Handle);

    static async Task<Empty> Handle(
        RoomId roomId, string eventId, Origin origin, Body<JsonElement> body, MembershipHandshakes handshakes, CancellationToken ct)
    {
        await handshakes.Take(roomId, eventId, body.Utf8, "leave", origin.Server, ct);
        return default;
    }
}
