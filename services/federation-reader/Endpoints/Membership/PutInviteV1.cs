using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

/// <summary>PUT /_matrix/federation/v1/invite/{roomId}/{eventId}: rooms of versions 1 and 2, the event being the body.</summary>
static class PutInviteV1
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/invite/{roomId}/{eventId}", Handle);

    static async Task<object[]> Handle(RoomId roomId, string eventId, Origin origin, FederatedRooms rooms, Body<JsonElement> body, Invites invites, RateLimits limits,
        CancellationToken ct)
    {
        await rooms.DemandAllowed(roomId, origin, ct);
        await PutInvite.CheckRate(limits, body.Value, ct);
        IReadOnlyList<JsonElement> shown = body.Value.TryGetProperty("unsigned", out var unsigned) && unsigned.ValueKind == JsonValueKind.Object
            && unsigned.TryGetProperty("invite_room_state", out var state) && state.ValueKind == JsonValueKind.Array ? [.. state.EnumerateArray()] : [];
        // which of the two versions it is makes no difference to an invite
        var signed = await invites.Take(roomId, eventId, "1", body.Utf8, shown, origin.Server, ct);
        return [200, new { @event = JsonElement.Parse(signed.Json.Span) }];
    }
}
