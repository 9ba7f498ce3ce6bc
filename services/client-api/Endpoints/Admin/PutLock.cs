using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>PUT /_matrix/client/v1/admin/lock/{userId}</summary>
static class PutLock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v1/admin/lock/{userId}", Handle);

    internal static async Task<LockedState> Handle(
        UserId userId, Body<LockedState> body, Requester requester, AccountStore accounts, SessionEnding sessions, CancellationToken ct)
    {
        await AccountModeration.FindToChange(requester, userId, accounts, ct);
        await sessions.Append(new SessionsChange(userId, batch => AccountStore.AddLocked(batch, userId, body.Value.Locked)), ct);
        return body.Value;
    }
}
