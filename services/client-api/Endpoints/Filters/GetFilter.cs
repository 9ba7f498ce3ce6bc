using System.Globalization;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Filters;

/// <summary>GET /_matrix/client/v3/user/{userId}/filter/{filterId}</summary>
static class GetFilter
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/user/{userId}/filter/{filterId}", Handle);

    static async Task<JsonElement> Handle(UserId userId, string filterId, Requester requester, FilterStore filters, CancellationToken ct)
    {
        requester.MustBe(userId);
        var text = long.TryParse(filterId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? await filters.Find(userId, id, ct) : null;
        return JsonElement.Parse(text ?? throw MatrixException.NotFound("There is no such filter."));
    }
}
