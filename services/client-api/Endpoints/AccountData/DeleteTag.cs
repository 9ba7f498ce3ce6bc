using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}</summary>
static class DeleteTag
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}", Handle);

    static async Task<Empty> Handle(UserId userId, RoomId roomId, string tag, Requester requester, LogWriter log, CancellationToken ct)
    {
        requester.MustBe(userId);
        await log.Append(new TagChanged(userId, roomId, tag, null), ct);
        return default;
    }
}
