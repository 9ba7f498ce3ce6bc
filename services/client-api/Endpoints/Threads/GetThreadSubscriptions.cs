using Matrix.ClientApi.Endpoints.History;
using Matrix.Http;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Threads;

/// <summary>GET /_matrix/client/unstable/io.element.msc4308/thread_subscriptions: what changed, the newest first</summary>
static class GetThreadSubscriptions
{
    const int DefaultLimit = 100, MostLimit = 500;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/io.element.msc4308/thread_subscriptions", Handle);

    static async Task<Response> Handle(HttpContext context, Requester requester, ThreadSubscriptionStore store, CancellationToken ct)
    {
        if (HistoryQuery.Direction(context) != TimelineDirection.Backwards)
            throw MatrixException.InvalidParam("'dir' must be b.");
        var limit = Math.Min(HistoryQuery.Limit(context, DefaultLimit), MostLimit);
        if (limit == 0)
            throw MatrixException.InvalidParam("'limit' must be greater than zero.");
        var (from, to) = (HistoryQuery.Token(context, "from") ?? long.MaxValue, HistoryQuery.Token(context, "to") ?? 0);
        var found = await store.ListChanges(requester.UserId.ToString(), to, from, limit + 1, ct);
        var page = found.Take(limit).ToList();
        return new Response(
            ByRoom(page.Where(s => s.Subscribed), s => new Subscribed(s.Automatic, s.Position)),
            ByRoom(page.Where(s => !s.Subscribed), s => new Unsubscribed(s.Position)),
            found.Count > limit ? HistoryQuery.Format(page[^1].Position - 1) : null);
    }

    static Dictionary<string, Dictionary<string, T>> ByRoom<T>(IEnumerable<ThreadSubscription> subscriptions, Func<ThreadSubscription, T> show) =>
        subscriptions.GroupBy(s => s.RoomId).ToDictionary(room => room.Key, room => room.ToDictionary(s => s.ThreadId, show));

    /// <param name="End">Where the next page begins; null: there is none.</param>
    sealed record Response(
        Dictionary<string, Dictionary<string, Subscribed>> Subscribed, Dictionary<string, Dictionary<string, Unsubscribed>> Unsubscribed, string? End);

    sealed record Subscribed(bool Automatic, long BumpStamp);

    sealed record Unsubscribed(long BumpStamp);
}
