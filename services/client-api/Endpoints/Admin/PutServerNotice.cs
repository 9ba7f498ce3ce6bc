using Matrix.ClientApi.Notices;
using Matrix.Http;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>PUT /_synapse/admin/v1/send_server_notice/{txnId}: the same notice again for the same transaction id.</summary>
static class PutServerNotice
{
    const string Endpoint = "server_notice";

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_synapse/admin/v1/send_server_notice/{txnId}", Handle);

    static Task<NoticeSent> Handle(string txnId, Body<ServerNotice> body, Requester requester, ServerNotices notices, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return body.Value.Send(notices, new TransactionId(requester.UserId, requester.DeviceId, txnId, Endpoint), ct);
    }
}
