using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Lifecycle;
using Matrix.Protocol;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>DELETE /_synapse/admin/v1/users/{userId}/media: deletes what a user uploaded.</summary>
static class DeleteUserMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_synapse/admin/v1/users/{userId}/media", Handle);

    static async Task<DeletedMediaIds> Handle(UserId userId, Requester requester, MediaDeletion deletion, ServerSigningKey own, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (userId.Server != own.ServerName)
            throw MatrixException.InvalidParam("That user is not of this server.");
        return new DeletedMediaIds(await deletion.DeleteByUser(userId, ct));
    }
}
