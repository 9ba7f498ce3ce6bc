using System.Text.Json.Nodes;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.ThirdParty;

/// <summary>PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}</summary>
static class PutExchangeThirdPartyInvite
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/exchange_third_party_invite/{roomId}", Handle);

    static async Task<Empty> Handle(RoomId roomId, Origin origin, FederatedRooms rooms, Body<Request> body, ThirdPartyInvites invites, CancellationToken ct)
    {
        var request = body.Value;
        if (request.Type != EventTypes.Member || request.RoomId != roomId || request.Content.Membership != "invite")
            throw MatrixException.InvalidParam("This is no invite to the room.");
        await rooms.DemandAllowed(roomId, origin, ct);
        await invites.Exchange(roomId, request.Sender, request.StateKey, request.Content.ThirdPartyInvite, ct);
        return default;
    }

    sealed record Request(string Type, RoomId RoomId, UserId Sender, UserId StateKey, InviteContent Content);

    sealed record InviteContent(string Membership, JsonObject ThirdPartyInvite);
}
