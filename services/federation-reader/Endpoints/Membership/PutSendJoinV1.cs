using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}: as the second version, in an array after the status.</summary>
static class PutSendJoinV1
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/send_join/{roomId}/{eventId}", Handle);

    static async Task Handle(RoomId roomId, string eventId, HttpContext context, Origin origin, Body<JsonElement> body, MembershipHandshakes handshakes,
        JoinedRoomTelling telling, CancellationToken ct)
    {
        var taken = await handshakes.Take(roomId, eventId, body.Utf8, "join", origin.Server, ct);
        context.Response.ContentType = "application/json";
        var to = context.Response.BodyWriter;
        await to.WriteAsync("[200,"u8.ToArray(), ct);
        await telling.Write(taken, false, to, ct);
        await to.WriteAsync("]"u8.ToArray(), ct);
    }
}
