using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;

namespace Matrix.ClientApi.Endpoints.AccountData;

/// <summary>PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}</summary>
static class PutTag
{
    const int LongestTag = 255, LargestInfo = 4096;

    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}", Handle);

    static async Task<Empty> Handle(
        UserId userId, RoomId roomId, string tag, Body<JsonElement> body, Requester requester, LogWriter log, CancellationToken ct)
    {
        requester.MustBe(userId);
        if (Encoding.UTF8.GetByteCount(tag) > LongestTag) throw MatrixException.InvalidParam("The tag is too long.");
        if (body.Utf8.Length > LargestInfo) throw MatrixException.TooLarge("The tag has too much content.");
        if (body.Value.TryGetProperty("order", out var order) && order.ValueKind != JsonValueKind.Number)
            throw MatrixException.BadJson("order must be a number.");
        await log.Append(new TagChanged(userId, roomId, tag, body.Value.GetRawText()), ct);
        return default;
    }
}
