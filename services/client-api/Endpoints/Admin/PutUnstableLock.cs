namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>PUT /_matrix/client/unstable/uk.timedout.msc4323/admin/lock/{userId}: the name it had before version 1.18.</summary>
static class PutUnstableLock
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/{userId}", PutLock.Handle);
}
