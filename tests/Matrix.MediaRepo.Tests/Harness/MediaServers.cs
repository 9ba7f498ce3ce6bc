using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

[assembly: AssemblyFixture(typeof(Matrix.MediaRepo.Tests.MediaServers))]

namespace Matrix.MediaRepo.Tests;

/// <summary>Two replicas of one homeserver, with one database and one media store. Shared by all tests.</summary>
public sealed class MediaServers : IAsyncLifetime
{
    public MatrixServer First { get; private set; } = null!;

    public MatrixServer Second { get; private set; } = null!;

    /// <summary>The folder of the media store.</summary>
    public string Folder { get; private set; } = "";

    public NpgsqlDataSource Db => First.Services.GetRequiredService<NpgsqlDataSource>();

    public async ValueTask InitializeAsync()
    {
        Dictionary<string, string?> first = [];
        First = await MatrixServer.Start(configuration =>
        {
            configuration["media_retention:unreferenced_media_lifetime"] = "1d"; // so that what is read is noted
            first = configuration;
        });
        Folder = first["media_store_path"]!;
        Second = await MatrixServer.Start(configuration =>
        {
            configuration["media_retention:unreferenced_media_lifetime"] = "1d";
            foreach (var key in first.Keys.Where(key => key.StartsWith("database:", StringComparison.Ordinal)).Append("media_store_path").Append("signing_key_path"))
                configuration[key] = first[key];
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }
}

/// <summary>What users do with media.</summary>
static class MediaUser
{
    /// <returns>The mxc URI.</returns>
    public static async Task<Uri> Upload(this ApiClient user, byte[] content, string type = "application/octet-stream", string? name = null)
    {
        using var body = Content(content, type);
        var query = name == null ? "" : $"?filename={ApiClient.Esc(name)}";
        return new Uri((await user.Post($"/_matrix/media/v3/upload{query}", body)).Ok().String("content_uri"));
    }

    public static ByteArrayContent Content(byte[] content, string type) => new(content) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    public static Task<Reply> Download(this ApiClient user, Uri media, string query = "") => user.Get(DownloadPath(media) + query);

    public static Task<Reply> Thumbnail(this ApiClient user, Uri media, int width, int height, string more = "") =>
        user.Get($"/_matrix/client/v1/media/thumbnail/{media.Authority}{media.AbsolutePath}?width={width}&height={height}{more}");

    public static string DownloadPath(Uri media) => $"/_matrix/client/v1/media/download/{media.Authority}{media.AbsolutePath}";
}
