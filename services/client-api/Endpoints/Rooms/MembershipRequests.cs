using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

static class MembershipRequests
{
    public static MembershipRequest Asks(this Requester requester, string? reason) => new(requester.UserId, reason, requester.IsGuest);

    public static TransactionId Transaction(this Requester requester, string txnId) => new(requester.UserId, requester.DeviceId, txnId);
}
