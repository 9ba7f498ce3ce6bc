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
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/media/v3/upload", Handle);

    static async Task<Response> Handle(HttpContext context, string? filename, Requester requester, MediaFiles files, MediaStore store,
        ServerSigningKey own, MediaOptions options, TimeProvider time, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        if (context.Request.ContentLength > options.MaxUploadSize)
        {
            throw MatrixException.TooLarge();
        }
        // without a length in advance, the web server counts along and ends the upload with 413
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.MaxUploadSize;
        var file = await files.Write(context.Request.Body, ct);
        var uri = MxcUri.Create(own.ServerName, RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 24));
        var media = new MediaRow(file.Hash, file.Size, TypeOf(context.Request), filename, options.EnableAuthenticatedMedia);
        await store.Insert(uri, requester.UserId, media, time.GetUtcNow(), ct);
        return new Response(uri);
    }

    static string TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.ToString() : "application/octet-stream";

    sealed record Response(MxcUri ContentUri);
}
