using Matrix.Federation;
using Matrix.Hosting.Configuration;
using Matrix.Hosting.Together;
using Matrix.Http;
using Matrix.MediaRepo.Admin;
using Matrix.MediaRepo.Endpoints;
using Matrix.MediaRepo.Endpoints.Admin;
using Matrix.MediaRepo.Images;
using Matrix.MediaRepo.Lifecycle;
using Matrix.MediaRepo.Previews;
using Matrix.MediaRepo.Remote;
using Matrix.MediaRepo.Serving;
using Matrix.MediaRepo.Thumbnails;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo;

/// <summary>Uploads, downloads and thumbnails, of this server and of others; and what administrators do with them.</summary>
public static class MediaRepoModule
{
    public static WebApplicationBuilder AddMediaRepo(this WebApplicationBuilder builder)
    {
        builder.AddMatrixHttp();
        builder.Services.AddStorage(builder.Configuration).AddFederation(builder.Configuration);
        builder.Services.AddMatrixOptions<MediaOptions>().AddMatrixOptions<MediaStoreOptions>();
        builder.Services.AddSingleton<MediaStore>().AddSingleton<MediaContentStore>().AddSingleton<ThumbnailStore>().AddSingleton<SharedWork>();
        builder.Services.AddSingleton<ContentStores>().AddSingleton<MediaKeeping>().AddSingleton<MediaUpload>();
        builder.Services.AddSingleton<MediaAccess>().AddHostedService(provider => provider.GetRequiredService<MediaAccess>());
        builder.Services.AddSingleton<AskedMediaStore>().AddSingleton(services => new GroupedReads<MediaQuestion, MediaAnswer>(
            services.GetRequiredService<AskedMediaStore>().Find, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<MediaFinder>().AddSingleton<ContentSender>().AddSingleton<MediaServing>();
        builder.Services.AddSingleton<RemoteMedia>().AddSingleton<RemoteRedirects>().AddSingleton<MultipartSender>();
        builder.Services.AddMatrixOptions<MediaRetentionOptions>("media_retention");
        builder.Services.AddSingleton<MediaAdminStore>().AddSingleton<RoomMedia>().AddSingleton<MediaDeletion>().AddSingleton<MediaReferenceStore>().AddSingleton<MediaReferences>().AddHostedService<MediaSweep>();
        builder.AddBackgroundJob<WebApplicationBuilder, OldMediaReferences>();
        builder.Services.AddMatrixOptions<PreviewOptions>();
        builder.Services.AddSingleton<PreviewStore>().AddSingleton<OembedProviders>().AddSingleton<PreviewImages>();
        builder.Services.AddSingleton<PreviewFetcher>().AddSingleton<Previewer>();
        builder.Services.AddSingleton<ImageLibrary>().AddSingleton<Thumbnailer>();
        builder.Services.AddSingleton<NewPictures>().AddHostedService(provider => provider.GetRequiredService<NewPictures>());
        return builder;
    }

    /// <summary>For a gateway that keeps bodies; before anything else that answers requests.</summary>
    public static WebApplication UseMediaQuestions(this WebApplication app)
    {
        var reads = app.Services.GetRequiredService<GroupedReads<MediaQuestion, MediaAnswer>>();
        SameQuestions.Use(app, () => reads.Hold());
        return app;
    }

    public static WebApplication MapMediaRepo(this WebApplication app)
    {
        UploadMedia.Map(app);
        CreateMedia.Map(app);
        PutMedia.Map(app);
        DownloadMedia.Map(app);
        DownloadMediaAs.Map(app);
        GetThumbnail.Map(app);
        GetLinkedPicture.Map(app);
        GetMediaConfig.Map(app);
        PreviewUrl.Map(app);
        ServeMediaToServer.Map(app);
        ServeThumbnailToServer.Map(app);
        MapAdmin(app);
        // read now: a file that is no good ends the start rather than the first request
        app.Services.GetRequiredService<OembedProviders>();
        var options = app.Services.GetRequiredService<MediaOptions>();
        if (options.EnableLegacyMedia)
        {
            LegacyDownloadMedia.Map(app);
            LegacyDownloadMediaAs.Map(app);
            LegacyGetThumbnail.Map(app);
            LegacyGetMediaConfig.Map(app);
            LegacyPreviewUrl.Map(app);
        }
        return app;
    }

    static void MapAdmin(WebApplication app)
    {
        DeleteMedia.Map(app);
        DeleteOldMedia.Map(app);
        DeleteOldMediaOfServer.Map(app);
        DeleteUserMedia.Map(app);
        GetMediaInfo.Map(app);
        ListRoomMedia.Map(app);
        ListUserMedia.Map(app);
        OldQuarantineRoomMedia.Map(app);
        ProtectMedia.Map(app);
        PurgeMediaCache.Map(app);
        QuarantineMedia.Map(app);
        QuarantineRoomMedia.Map(app);
        QuarantineUserMedia.Map(app);
        UnprotectMedia.Map(app);
        UnquarantineMedia.Map(app);
    }
}
