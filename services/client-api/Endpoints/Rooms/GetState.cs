using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}: without a state key, with or without the slash, it is the empty one.</summary>
static class GetState
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey?}", Handle);

    static async Task<IResult> Handle(RoomId roomId, string eventType, string? stateKey, string? format, Requester requester, RoomFinder rooms,
        RoomState state, StateReading reading, CancellationToken ct)
    {
        if (format is not (null or "content" or "event"))
            throw MatrixException.InvalidParam("format must be content or event.");
        var room = await rooms.Find(roomId, ct) ?? throw RoomException.Forbidden("You are not in this room.");
        var root = await state.RootVisibleTo(room, requester.UserId, ct);
        var nid = await state.Find(root, new StateKeyPair(eventType, stateKey ?? ""), ct)
            ?? throw MatrixException.NotFound("The room has no such state.");
        var found = (await reading.Read([nid], ct))[0];
        return Results.Bytes(format == "event" ? found.Encode() : found.Pdu.ContentJson.ToArray(), "application/json");
    }
}
