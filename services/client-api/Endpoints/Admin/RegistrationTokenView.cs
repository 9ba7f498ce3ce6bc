using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>A registration token as administrators' tools know it; what has no limit is null, not absent.</summary>
static class RegistrationTokenView
{
    public static Dictionary<string, object?> Of(RegistrationToken token) => new()
    {
        ["token"] = token.Token,
        ["uses_allowed"] = token.UsesAllowed,
        ["pending"] = token.Pending,
        ["completed"] = token.Completed,
        ["expiry_time"] = token.ExpiresAt?.ToUnixTimeMilliseconds(),
    };
}
