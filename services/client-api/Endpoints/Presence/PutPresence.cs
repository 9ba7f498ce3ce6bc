using Matrix.ClientApi.Sync.Presence;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Presence;

/// <summary>PUT /_matrix/client/v3/presence/{userId}/status</summary>
static class PutPresence
{
    const int LongestStatus = 1000;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/presence/{userId}/status", Handle);

    static Empty Handle(UserId userId, Body<Request> body, Requester requester, LocalPresence local, PresenceOptions options)
    {
        requester.MustBe(userId);
        if (!PresenceState.IsKnown(body.Value.Presence))
            throw MatrixException.InvalidParam("'presence' is not known.");
        if (body.Value.StatusMsg is { Length: > LongestStatus })
            throw MatrixException.InvalidParam("'status_msg' is too long.");
        if (options.Enabled)
            local.Set(userId.ToString(), requester.DeviceId.ToString(), body.Value.Presence, body.Value.StatusMsg is { Length: > 0 } message ? message : null);
        return default;
    }

    sealed record Request(string Presence, string? StatusMsg);
}
