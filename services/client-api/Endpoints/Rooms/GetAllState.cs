using System.Buffers;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>GET /_matrix/client/v3/rooms/{roomId}/state</summary>
static class GetAllState
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/rooms/{roomId}/state", Handle);

    static async Task<IResult> Handle(
        RoomId roomId, Requester requester, RoomFinder rooms, RoomState state, StateReading reading, CancellationToken ct)
    {
        var room = await rooms.Find(roomId, ct) ?? throw RoomException.Forbidden("You are not in this room.");
        var root = await state.RootVisibleTo(room, requester.UserId, ct);
        var entries = await state.ReadAll(root, ct);
        var output = new ArrayBufferWriter<byte>(entries.Count * 512);
        output.Write("["u8);
        foreach (var (i, found) in (await reading.Read([.. entries.Select(e => e.EventNid)], ct)).Index())
        {
            if (i > 0)
                output.Write(","u8);
            output.Write(found.Encode());
        }
        output.Write("]"u8);
        return Results.Bytes(output.WrittenMemory, "application/json");
    }
}
