using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v2/invite/{roomId}/{eventId}</summary>
static class PutInvite
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v2/invite/{roomId}/{eventId}", Handle);

    static async Task<Response> Handle(RoomId roomId, string eventId, Origin origin, FederatedRooms rooms, Body<Request> body, Invites invites, RateLimits limits,
        CancellationToken ct)
    {
        await rooms.DemandAllowed(roomId, origin, ct);
        var request = body.Value;
        await CheckRate(limits, request.Event, ct);
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

    /// <summary>Nobody is flooded with invites, whoever sends them.</summary>
    internal static Task CheckRate(RateLimits limits, JsonElement invite, CancellationToken ct) =>
        invite.ValueKind == JsonValueKind.Object && invite.TryGetProperty("state_key", out var key) && key.ValueKind == JsonValueKind.String
            && UserId.TryParse(key.GetString(), out var target) ? limits.Check("rc_invites.per_user", target.ToString(), ct) : Task.CompletedTask;

    internal static byte[] Bytes(JsonElement json) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(json).ToArray();

    sealed record Request(string RoomVersion, JsonElement Event, IReadOnlyList<JsonElement>? InviteRoomState);

    sealed record Response(JsonElement Event);
}
