using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>POST /_matrix/media/v1/create: a media id whose bytes come later.</summary>
static class CreateMedia
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/media/v1/create", Handle);

    static async Task<Response> Handle(Requester requester, MediaStore store, ServerSigningKey own, MediaOptions options, TimeProvider time, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        var (mediaId, now) = (MediaKeeping.NewMediaId(), time.GetUtcNow());
        var expiresAt = now + options.UnusedExpirationTime;
        if (await store.InsertPending(mediaId, requester.UserId, now, expiresAt, options.MaxPendingMediaUploads, ct) is { } nextFree)
            throw MatrixException.LimitExceeded(nextFree - now);
        return new Response(MxcUri.Create(own.ServerName, mediaId), expiresAt.ToUnixTimeMilliseconds());
    }

    sealed record Response(MxcUri ContentUri, long UnusedExpiresAt);
}
