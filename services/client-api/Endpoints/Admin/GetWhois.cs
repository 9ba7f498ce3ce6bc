using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_matrix/client/v3/admin/whois/{userId}: for administrators, and for oneself.</summary>
static class GetWhois
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/admin/whois/{userId}", Handle);

    static async Task<Response> Handle(UserId userId, Requester requester, AccountStore accounts, DeviceStore devices, CancellationToken ct)
    {
        if (userId != requester.UserId) requester.MustBeAdmin();
        if (await accounts.Find(userId, ct) is null) throw MatrixException.NotFound("There is no such user.");
        var seen = (await devices.List(userId, ct)).ToDictionary(
            device => device.DeviceId.ToString(),
            device => new Device([new Session([new Connection(device.LastSeenIp, device.LastSeenAt?.ToUnixTimeMilliseconds())])]));
        return new Response(userId, seen);
    }

    sealed record Response(UserId UserId, Dictionary<string, Device> Devices);

    sealed record Device(Session[] Sessions);

    sealed record Session(Connection[] Connections);

    sealed record Connection(string? Ip, long? LastSeen);
}
