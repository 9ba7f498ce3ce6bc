using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

static class MembershipRequests
{
    public static MembershipRequest Asks(this Requester requester, string? reason) => new(requester.UserId, reason, requester.IsGuest);

    /// <summary>Those of the names that are names of servers.</summary>
    public static IReadOnlyList<ServerName> Servers(IEnumerable<string>? names) =>
        [.. (names ?? []).Where(name => ServerName.TryParse(name, out _)).Select(name => ServerName.Parse(name)).Take(20)];

    /// <param name="endpoint">One of the constants of <see cref="TransactionId"/>.</param>
    public static TransactionId Transaction(this Requester requester, string txnId, string endpoint) =>
        new(requester.UserId, requester.DeviceId, txnId, endpoint);
}
