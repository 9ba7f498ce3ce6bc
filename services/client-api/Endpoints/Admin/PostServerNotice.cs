using System.Text.Json;
using Matrix.ClientApi.Notices;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/send_server_notice</summary>
static class PostServerNotice
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/send_server_notice", Handle);

    static async Task<NoticeSent> Handle(Body<ServerNotice> body, Requester requester, ServerNotices notices, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return await body.Value.Send(notices, null, ct);
    }
}

/// <param name="Type">Null: a message.</param>
sealed record ServerNotice(UserId UserId, JsonElement Content, string? Type, string? StateKey)
{
    public async Task<NoticeSent> Send(ServerNotices notices, Matrix.Rooms.TransactionId? transaction, CancellationToken ct)
    {
        if (Content.ValueKind != JsonValueKind.Object) throw MatrixException.BadJson("content must be an object.");
        return new NoticeSent(await notices.Send(UserId, Type ?? EventTypes.Message, StateKey, Content, transaction, ct));
    }
}

sealed record NoticeSent(EventId EventId);
