using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.ThirdParty;

/// <summary>
/// PUT /_matrix/federation/v1/3pid/onbind: an identity server has found whose address it is. It signs no request; what it signed of the invites the
/// auth rules check.
/// </summary>
static class PutThreepidOnBind
{
    const int MostInvites = 50;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/3pid/onbind", Handle);

    static async Task<Empty> Handle(Body<Request> body, ThirdPartyInvites invites, CancellationToken ct)
    {
        if (body.Value.Invites.Any(invite => invite is null))
            throw MatrixException.BadJson("invites must be objects.");
        foreach (var invite in body.Value.Invites.Take(MostInvites))
        {
            try
            {
                await invites.Bound(body.Value.Mxid, invite.RoomId, invite.Sender, invite.Signed, ct);
            }
            catch (Exception e) when (e is RoomException or FederationException)
            {
                // one that came to nothing keeps none of the others back
            }
        }
        return default;
    }

    sealed record Request(UserId Mxid, IReadOnlyList<Invite> Invites);

    sealed record Invite(RoomId RoomId, UserId Sender, JsonObject Signed);
}
