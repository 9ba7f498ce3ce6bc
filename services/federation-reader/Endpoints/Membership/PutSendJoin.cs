using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}</summary>
static class PutSendJoin
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v2/send_join/{roomId}/{eventId}", Handle);

    static async Task Handle(RoomId roomId, string eventId, HttpContext context, Origin origin, Body<JsonElement> body, MembershipHandshakes handshakes,
        JoinedRoomTelling telling, CancellationToken ct)
    {
        var taken = await handshakes.Take(roomId, eventId, body.Utf8, "join", origin.Server, ct);
        context.Response.ContentType = "application/json";
        var omitMembers = context.Request.Query["omit_members"] is ["true"];
        await telling.Write(taken, omitMembers, context.Response.BodyWriter, ct);
    }
}
