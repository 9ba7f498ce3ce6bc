using Matrix.ClientApi.Search;
using Matrix.Http;
using Matrix.Storage.Search;

namespace Matrix.ClientApi.Endpoints.Search;

/// <summary>POST /_matrix/client/v3/user_directory/search</summary>
static class PostUserDirectorySearch
{
    const int MostLimit = 50;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/user_directory/search", Handle);

    static async Task<Response> Handle(Body<Request> body, Requester requester, SearchStore store, SearchOptions options, CancellationToken ct)
    {
        if (body.Value.Limit < 0)
            throw MatrixException.InvalidParam("limit must not be negative.");
        var limit = Math.Min(body.Value.Limit, MostLimit);
        if (!options.UserDirectory.Enabled || SearchWords.ToQuery(body.Value.SearchTerm) is not { } words)
            return new Response([], false);
        var found = await store.FindUsers(words, requester.UserId.ToString(), options.UserDirectory.SearchAllUsers, limit + 1, ct);
        return new Response([.. found.Take(limit).Select(user => new Found(user.UserId, user.DisplayName, user.AvatarUrl))], found.Count > limit);
    }

    sealed record Request(string SearchTerm, int Limit = 10);

    sealed record Response(IReadOnlyList<Found> Results, bool Limited);

    sealed record Found(string UserId, string? DisplayName, string? AvatarUrl);
}
