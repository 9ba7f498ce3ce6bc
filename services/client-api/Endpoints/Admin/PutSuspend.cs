using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>PUT /_matrix/client/v1/admin/suspend/{userId}</summary>
static class PutSuspend
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v1/admin/suspend/{userId}", Handle);

    internal static async Task<SuspendedState> Handle(
        UserId userId, Body<SuspendedState> body, Requester requester, AccountStore accounts, SessionEnding sessions, CancellationToken ct)
    {
        await AccountModeration.FindToChange(requester, userId, accounts, ct);
        await sessions.Append(new SessionsChange(userId, batch => AccountStore.AddSuspended(batch, userId, body.Value.Suspended)), ct);
        return body.Value;
    }
}
