using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/logout/all</summary>
static class PostLogoutAll
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/logout/all", Handle).WithMetadata(ForLockedUsers.Mark);

    static async Task<Empty> Handle(Requester requester, SessionEnding sessions, CancellationToken ct)
    {
        await sessions.Append(new SessionsChange(requester.UserId, batch => DeviceStore.AddDelete(batch, requester.UserId, deviceIds: null), ofDevices: true), ct);
        return default;
    }
}
