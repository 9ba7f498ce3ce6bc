using System.Buffers;
using System.Text.Json;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Push;
using Matrix.ClientApi.Sync;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Push;

/// <summary>GET /_matrix/client/v3/notifications</summary>
static class GetNotifications
{
    const int DefaultLimit = 20, MostLimit = 100;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/notifications", Handle);

    static async Task Handle(string? only, HttpContext context, Requester requester, Notifications notifications, TimeProvider time, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var limit = Math.Clamp(HistoryQuery.Limit(context, DefaultLimit), 1, MostLimit);
        var batch = new EventBatch();
        var page = await notifications.List(
            requester.UserId.ToString(), HistoryQuery.Token(context, "from") ?? long.MaxValue, limit, only == "highlight", batch, ct);
        var audience = new EventAudience(requester.UserId.ToString(), requester.DeviceId.ToString(), time.GetUtcNow().ToUnixTimeMilliseconds(), false);
        await JsonBytes.Write(context, Write(page, batch, audience), ct);
    }

    static ReadOnlyMemory<byte> Write(NotificationPage page, EventBatch batch, in EventAudience audience)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        var to = new JsonSplicer(output);
        to.Raw("{\"notifications\":["u8);
        var first = true;
        foreach (var (e, outcome, isRead) in page.Notifications)
        {
            to.Comma(ref first);
            to.Raw("{\"room_id\":"u8);
            to.String(e.RoomId);
            to.Raw(",\"ts\":"u8);
            to.Number(e.OriginServerTs);
            to.Raw(",\"read\":"u8);
            to.Boolean(isRead);
            to.Raw(",\"actions\":"u8);
            to.Raw(JsonSerializer.SerializeToUtf8Bytes(outcome.Actions));
            to.Raw(",\"event\":"u8);
            EventWriter.Write(to, e, batch, audience);
            to.Raw("}"u8);
        }
        to.Raw("]"u8);
        if (page.Before is { } before)
        {
            to.Raw(",\"next_token\":"u8);
            to.String(HistoryQuery.Format(before));
        }
        to.Raw("}"u8);
        return output.WrittenMemory;
    }
}
