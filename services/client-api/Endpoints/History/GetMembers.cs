using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary><c>GET /_matrix/client/v3/rooms/{roomId}/members</c></summary>
static class GetMembers
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/members", Handle);

    static async Task Handle(
        RoomId roomId, HttpContext context, Requester requester, RoomReader rooms, StateOfPage states, TimeProvider time, CancellationToken ct)
    {
        var (membership, not) = (Membership(context, "membership"), Membership(context, "not_membership"));
        var at = HistoryQuery.Token(context, "at") ?? long.MaxValue;
        var view = await rooms.Open(roomId, requester.UserId, ct);
        var batch = new EventBatch();
        var members = await rooms.FindState(view, at, ct) is { } root ? await states.ListMembers(root, batch, ct) : [];
        await new EventAnswer(requester, batch, time)
            .Events("chunk", members.Where(e => Passes(e, membership, not)))
            .Send(context, ct);
    }

    // Given both, either is enough.
    static bool Passes(EncodedEvent e, string? membership, string? not) => (membership, not) switch
    {
        (null, null) => true,
        (null, _) => e.Membership != not,
        (_, null) => e.Membership == membership,
        _ => e.Membership == membership || e.Membership != not,
    };

    static string? Membership(HttpContext context, string name) => (string?)context.Request.Query[name] switch
    {
        null or "" => null,
        "join" or "invite" or "knock" or "leave" or "ban" => (string?)context.Request.Query[name],
        _ => throw MatrixException.InvalidParam($"'{name}' is not a membership."),
    };
}
