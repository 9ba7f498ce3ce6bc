using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Threads;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <param name="PrevBatch">Where older changes that belong into the answer begin; null: there are none.</param>
sealed record ThreadSubscriptionBatch(IReadOnlyList<ThreadSubscription> Changes, string? PrevBatch);

/// <summary>Threads that the user was subscribed to or has left (MSC4308), the newest changes of them. The log says whether Postgres has to be asked.</summary>
sealed class ThreadSubscriptionsExtension(ThreadSubscriptionStore store, ThreadRules rules)
{
    public const int DefaultLimit = 100, MostLimit = 500;

    public async Task Fill(ExtensionContext context, int limit, CancellationToken ct)
    {
        var (request, result) = (context.Request, context.Result);
        // a client that asks for this subscribes to threads
        await rules.TurnOn(UserId.Parse(request.UserId), ct);
        if (!context.Window.HasThreadSubscriptions)
            return;
        var found = await store.ListChanges(request.UserId, request.Since?.Value ?? 0, result.Position.Value, limit + 1, ct);
        if (found.Count > 0)
        {
            var changes = found.Take(limit).ToList();
            result.Extensions.Threads = new ThreadSubscriptionBatch(
                changes, found.Count > limit ? HistoryQuery.Format(changes[^1].Position - 1) : null);
        }
    }
}
