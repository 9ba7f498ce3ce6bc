using Matrix.Federation;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.MediaRepo.Endpoints;
using Matrix.Storage;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo;

/// <summary>Uploads and downloads of media. Thumbnails and media of other servers are not served yet.</summary>
public static class MediaRepoModule
{
    public static WebApplicationBuilder AddMediaRepo(this WebApplicationBuilder builder)
    {
        builder.AddMatrixHttp();
        builder.Services.AddStorage(builder.Configuration).AddFederation(builder.Configuration);
        builder.Services.AddMatrixOptions<MediaOptions>();
        builder.Services.AddSingleton<MediaStore>();
        builder.Services.AddSingleton<MediaFiles>();
        builder.Services.AddSingleton<MediaDownload>();
        return builder;
    }

    public static WebApplication MapMediaRepo(this WebApplication app)
    {
        UploadMedia.Map(app);
        DownloadMedia.Map(app);
        DownloadMediaAs.Map(app);
        GetMediaConfig.Map(app);
        LegacyDownloadMedia.Map(app);
        LegacyDownloadMediaAs.Map(app);
        LegacyGetMediaConfig.Map(app);
        return app;
    }
}
