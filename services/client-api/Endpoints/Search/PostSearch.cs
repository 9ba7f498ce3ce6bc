using System.Runtime.InteropServices;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Search;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Search;

/// <summary>POST /_matrix/client/v3/search</summary>
static class PostSearch
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/search", Handle);

    static async Task Handle(
        Body<Request> body, HttpContext context, Requester requester, EventSearch search, RoomReader rooms, StateOfPage states, SearchOptions options,
        TimeProvider time, CancellationToken ct)
    {
        if (!options.EnableSearch)
            throw new MatrixException(400, "M_UNKNOWN", "This server does not search events.");
        var criteria = body.Value.SearchCategories.RoomEvents ?? throw MatrixException.MissingParam("room_events");
        if (criteria.OrderBy is not ("rank" or "recent"))
            throw MatrixException.InvalidParam("order_by must be rank or recent.");
        var filter = criteria.Filter is { } json ? RoomEventFilter.Parse(JsonMarshal.GetRawUtf8Value(json)) : RoomEventFilter.Default;
        var batch = new EventBatch();
        var results = await search.Find(criteria, filter, SearchToken.Parse(context.Request.Query["next_batch"]), requester, batch, ct);

        var profiles = criteria.EventContext?.IncludeProfile == true
            ? await Task.WhenAll(results.Found.Select(result => result.Event.StateBefore is { } root
                ? states.ListSenders(root, result.Before.Append(result.Event).Concat(result.After), new EventBatch(), ct)
                : Task.FromResult<IReadOnlyList<EncodedEvent>>([])))
            : [];
        var roomStates = criteria.IncludeState ? new Dictionary<string, IReadOnlyList<EncodedEvent>>() : null;
        foreach (var view in roomStates is null ? [] : results.Found.Select(result => result.Event.RoomNid).Distinct().Select(nid => results.Views[nid]))
        {
            if (await rooms.FindState(view, long.MaxValue, ct) is { } root)
                roomStates![view.Room.RoomId.ToString()] = await states.List(root, RoomEventFilter.Default, [], batch, ct);
        }
        var audience = new EventAudience(requester.UserId.ToString(), requester.DeviceId.ToString(), time.GetUtcNow().ToUnixTimeMilliseconds(), true);
        await JsonBytes.Write(context, new SearchAnswer(criteria, results, new SearchExtras(profiles, roomStates), batch, audience).Write(), ct);
    }

    sealed record Request(Categories SearchCategories);

    sealed record Categories(RoomEventsCriteria? RoomEvents = null);
}
