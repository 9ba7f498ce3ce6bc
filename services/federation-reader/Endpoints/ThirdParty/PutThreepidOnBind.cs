using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Joining;
using Matrix.Storage;

namespace Matrix.FederationReader.Endpoints.ThirdParty;

/// <summary>
/// PUT /_matrix/federation/v1/3pid/onbind: an identity server has found whose address it is. It signs no request; what it signed of the invites the
/// auth rules check.
/// </summary>
static class PutThreepidOnBind
{
    const int MostInvites = 50;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/federation/v1/3pid/onbind", Handle);

    static async Task<Empty> Handle(
        Body<Request> body, ThirdPartyInvites invites, AccountStore accounts, ServerSigningKey own, OriginLimits limits, CancellationToken ct)
    {
        if (body.Value.Invites.Any(invite => invite is null))
            throw MatrixException.BadJson("invites must be objects.");
        var user = body.Value.Mxid;
        if (user.Server != own.ServerName || await accounts.Find(user, ct) is null)
            throw MatrixException.InvalidParam("This is no user of this server.");
        // whoever likes may ask, and each of these is a request to another server
        using var place = limits.EnterUnsigned();
        foreach (var invite in body.Value.Invites.Where(invite => IsOf(user, invite.Signed)).Take(MostInvites))
        {
            try
            {
                await invites.Bound(user, invite.RoomId, invite.Sender, JsonObject.Create(invite.Signed)!, ct);
            }
            catch (Exception e) when (e is RoomException or FederationException)
            {
                // one that came to nothing keeps none of the others back
            }
        }
        return default;
    }

    static bool IsOf(UserId user, JsonElement signed) => signed.ValueKind == JsonValueKind.Object && signed.TryGetProperty("mxid", out var mxid)
        && mxid.ValueKind == JsonValueKind.String && mxid.GetString() == user.ToString();

    sealed record Request(UserId Mxid, IReadOnlyList<Invite> Invites);

    sealed record Invite(RoomId RoomId, UserId Sender, JsonElement Signed);
}
