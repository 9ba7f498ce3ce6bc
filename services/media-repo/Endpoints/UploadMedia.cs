using System.Security.Cryptography;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Matrix.MediaRepo.Endpoints;

/// <summary>POST /_matrix/media/v3/upload: keeps the body, of any type, up to <c>max_upload_size</c>.</summary>
static class UploadMedia
{
    const long Overrun = 1 << 20;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/media/v3/upload", Handle);

    static async Task<Response> Handle(HttpContext context, string? filename, Requester requester, MediaFiles files, MediaStore store,
        ServerSigningKey own, MediaOptions options, TimeProvider time, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        if (context.Request.ContentLength > options.MaxUploadSize)
        {
            throw MatrixException.TooLarge();
        }
        // A client may have sent more before it reads that it was too much: that is taken off its hands, else it would see a broken connection.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.MaxUploadSize + Overrun;
        var file = await files.Write(context.Request.Body, options.MaxUploadSize, ct);
        var uri = MxcUri.Create(own.ServerName, RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 24));
        var media = new MediaRow(file.Hash, file.Size, TypeOf(context.Request), filename, options.EnableAuthenticatedMedia);
        await store.Insert(uri, requester.UserId, media, time.GetUtcNow(), ct);
        return new Response(uri);
    }

    static string TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.ToString() : "application/octet-stream";

    sealed record Response(MxcUri ContentUri);
}
