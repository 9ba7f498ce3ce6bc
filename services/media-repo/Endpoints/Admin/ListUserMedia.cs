using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.Protocol;
using Matrix.Storage.Media;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.MediaRepo.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/users/{userId}/media: what a user uploaded.</summary>
static class ListUserMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/users/{userId}/media", Handle);

    static async Task<Response> Handle(
        UserId userId, int? from, int? limit, [FromQuery(Name = "order_by")] string? orderBy, string? dir, Requester requester, MediaAdminStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if (from < 0 || limit < 0)
            throw MatrixException.InvalidParam("from and limit must not be negative.");
        // without an order of their choice, the newest come first
        var backwards = dir switch { "b" => true, "f" => false, null => orderBy == null, _ => throw MatrixException.InvalidParam("dir must be b or f.") };
        var (start, count) = (from ?? 0, Math.Min(limit ?? 100, 1000));
        var page = await store.ListByUser(userId, Column(orderBy), backwards, start, count, ct);
        var total = await store.CountByUser(userId, ct);
        return new Response([.. page.Select(UserMedia.Of)], total, start + page.Count < total ? start + page.Count : null);
    }

    static string Column(string? order) => order switch
    {
        null or "created_ts" => "created_at",
        "last_access_ts" => "last_access",
        "media_id" => "media_id",
        "media_length" => "size",
        "media_type" => "content_type",
        "quarantined_by" => "quarantined_by",
        "safe_from_quarantine" => "protected",
        "upload_name" => "file_name",
        _ => throw MatrixException.InvalidParam("There is no such order."),
    };

    sealed record Response(UserMedia[] Media, long Total, int? NextToken);
}
