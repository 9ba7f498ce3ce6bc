using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_matrix/client/v1/admin/lock/{userId}</summary>
static class GetLock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/admin/lock/{userId}", Handle);

    internal static async Task<LockedState> Handle(UserId userId, Requester requester, AccountStore accounts, CancellationToken ct) =>
        new((await AccountModeration.Find(requester, userId, accounts, ct)).IsLocked);
}
