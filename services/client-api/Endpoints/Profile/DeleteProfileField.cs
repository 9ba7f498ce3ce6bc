using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Profile;

/// <summary>DELETE /_matrix/client/v3/profile/{userId}/{keyName}</summary>
static class DeleteProfileField
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/v3/profile/{userId}/{keyName}", Handle);

    static async Task<Empty> Handle(UserId userId, string keyName, Requester requester, Profiles profiles, CancellationToken ct)
    {
        requester.MustBe(userId);
        requester.MustNotBeSuspended();
        if (keyName != Profiles.DisplayName) requester.MustNotBeGuest();
        await profiles.Delete(userId, keyName, ct);
        return default;
    }
}
