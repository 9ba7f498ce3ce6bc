using System.Buffers;
using System.Runtime.InteropServices;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/v1/rooms/{roomId}/hierarchy</summary>
static class GetHierarchy
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/rooms/{roomId}/hierarchy", Handle);

    static async Task Handle(RoomId roomId, HttpContext context, Requester requester, SpaceTree spaces, CancellationToken ct)
    {
        var suggestedOnly = HistoryQuery.Boolean(context, "suggested_only") ?? false;
        var limit = HistoryQuery.Limit(context, SpaceTree.MostRooms);
        if (limit == 0)
            throw MatrixException.InvalidParam("'limit' must be greater than zero.");
        var walk = new SpaceWalk(roomId, suggestedOnly, SpaceToken.Depth(context), Math.Min(limit, SpaceTree.MostRooms));
        var page = await spaces.Read(walk, SpaceToken.Skip(context, walk), requester.UserId, ct);
        await JsonBytes.Write(context, Write(page), ct);
    }

    static ReadOnlyMemory<byte> Write(SpacePage page)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        var to = new JsonSplicer(output);
        to.Raw("{\"rooms\":["u8);
        var first = true;
        foreach (var room in page.Rooms)
        {
            to.Comma(ref first);
            var preview = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(room.Preview, MatrixJson.Options);
            to.Raw(preview.AsSpan(0, preview.Length - 1));
            to.Raw(",\"children_state\":["u8);
            var firstChild = true;
            foreach (var child in room.Children)
            {
                to.Comma(ref firstChild);
                to.Raw("{\"type\":\"m.space.child\",\"state_key\":"u8);
                to.String(child.StateKey);
                to.Raw(",\"sender\":"u8);
                to.String(child.Sender);
                to.Raw(",\"origin_server_ts\":"u8);
                to.Number(child.OriginServerTs);
                to.Raw(",\"content\":"u8);
                to.Raw(JsonMarshal.GetRawUtf8Value(child.Content));
                to.Raw("}"u8);
            }
            to.Raw("]}"u8);
        }
        to.Raw("]"u8);
        if (page.Next is { } next)
        {
            to.Raw(",\"next_batch\":"u8);
            to.String(next);
        }
        to.Raw("}"u8);
        return output.WrittenMemory;
    }
}
