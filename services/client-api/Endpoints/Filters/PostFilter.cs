using System.Globalization;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Filters;

/// <summary>POST /_matrix/client/v3/user/{userId}/filter</summary>
static class PostFilter
{
    const int LongestFilter = 32768;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/user/{userId}/filter", Handle);

    static async Task<Response> Handle(UserId userId, Body<JsonElement> filter, Requester requester, FilterStore filters, CancellationToken ct)
    {
        requester.MustBe(userId);
        var text = filter.Value.GetRawText();
        if (text.Length > LongestFilter) throw MatrixException.TooLarge("The filter is too large.");
        FilterDefinition.FromJson(filter.Value);
        return new Response((await filters.Insert(userId, text, ct)).ToString(CultureInfo.InvariantCulture));
    }

    sealed record Response(string FilterId);
}
