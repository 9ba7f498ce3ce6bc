using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

static class MembershipRequests
{
    public static MembershipRequest Asks(this Requester requester, string? reason) => new(requester.UserId, reason, requester.IsGuest);

    /// <param name="endpoint">One of the constants of <see cref="TransactionId"/>.</param>
    public static TransactionId Transaction(this Requester requester, string txnId, string endpoint) =>
        new(requester.UserId, requester.DeviceId, txnId, endpoint);
}
