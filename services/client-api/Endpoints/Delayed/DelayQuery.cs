using System.Globalization;
using Matrix.ClientApi.Delayed;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>The query parameter by which <c>/send</c> and <c>/state</c> put off an event: what clients use for delayed events today (MSC4140 as it was).</summary>
static class DelayQuery
{
    const string Name = "org.matrix.msc4140.delay";

    /// <summary>Null where the event is to be sent now.</summary>
    /// <exception cref="MatrixException">400: no number of milliseconds.</exception>
    public static long? Of(HttpContext context)
    {
        string? delay = context.Request.Query[Name];
        if (string.IsNullOrEmpty(delay)) return null;
        return long.TryParse(delay, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            ? ms : throw MatrixException.InvalidParam($"'{Name}' must be a number of milliseconds.");
    }

    public static async Task<IResult> Schedule(
        this DelayedEvents delayed, Requester requester, RoomId roomId, EventDraft draft, long delayMs, CancellationToken ct, string? txnId = null) =>
        Results.Json(new DelayIdResponse(await delayed.Schedule(requester, roomId, draft, delayMs, txnId, ct)), MatrixJson.Options);
}
