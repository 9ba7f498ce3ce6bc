using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_matrix/client/v1/admin/suspend/{userId}</summary>
static class GetSuspend
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/admin/suspend/{userId}", Handle);

    internal static async Task<SuspendedState> Handle(UserId userId, Requester requester, AccountStore accounts, CancellationToken ct) =>
        new((await AccountModeration.Find(requester, userId, accounts, ct)).IsSuspended);
}
