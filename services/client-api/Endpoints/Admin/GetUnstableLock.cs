namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_matrix/client/unstable/uk.timedout.msc4323/admin/lock/{userId}: the name it had before version 1.18.</summary>
static class GetUnstableLock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/{userId}", GetLock.Handle);
}
