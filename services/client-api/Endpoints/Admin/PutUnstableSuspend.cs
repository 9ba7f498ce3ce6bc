namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>PUT /_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/{userId}: the name it had before version 1.18.</summary>
static class PutUnstableSuspend
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/{userId}", PutSuspend.Handle);
}
