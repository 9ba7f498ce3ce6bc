using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Presence;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Presence;

/// <summary>GET /_matrix/client/v3/presence/{userId}/status</summary>
static class GetPresence
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/presence/{userId}/status", Handle);

    static async Task<Response> Handle(
        UserId userId, Requester requester, PresenceBoard board, SharedRooms shared, AccountStore accounts, TimeProvider time, CancellationToken ct)
    {
        var (own, other) = (requester.UserId.ToString(), userId.ToString());
        if (own != other)
        {
            var rooms = await shared.Get([own, other], ct);
            if (!rooms[own].Intersect(rooms[other]).Any())
                throw await accounts.Find(userId, ct) is null
                    ? MatrixException.NotFound("There is no such user.")
                    : MatrixException.Forbidden("You share no room with this user.");
        }
        var state = board.Find(other);
        return new Response(
            state.Presence, state.StatusMessage, state.LastActive > 0 ? Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - state.LastActive) : null,
            state.CurrentlyActive);
    }

    sealed record Response(string Presence, string? StatusMsg, long? LastActiveAgo, bool CurrentlyActive);
}
