using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v2/invite/{roomId}/{eventId}</summary>
static class PutInvite
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v2/invite/{roomId}/{eventId}", Handle);

    static async Task<Response> Handle(RoomId roomId, string eventId, Origin origin, FederatedRooms rooms, Body<Request> body, Invites invites, CancellationToken ct)
    {
        await rooms.DemandAllowed(roomId, origin, ct);
        var request = body.Value;
        try
        {
            var signed = await invites.Take(
                roomId, eventId, request.RoomVersion, Bytes(request.Event), request.InviteRoomState ?? [], origin.Server, ct);
            return new Response(JsonElement.Parse(signed.Json.Span));
        }
        catch (IncompatibleRoomVersionException e)
        {
            throw Versions.Incompatible(e);
        }
    }

    internal static byte[] Bytes(JsonElement json) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(json).ToArray();

    sealed record Request(string RoomVersion, JsonElement Event, IReadOnlyList<JsonElement>? InviteRoomState);

    sealed record Response(JsonElement Event);
}
