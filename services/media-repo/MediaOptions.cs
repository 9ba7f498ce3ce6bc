using System.ComponentModel.DataAnnotations;
using Matrix.Hosting.Configuration;

namespace Matrix.MediaRepo;

/// <summary>Where media lies and what may be uploaded. Keys as in Synapse's configuration.</summary>
public sealed class MediaOptions
{
    /// <summary>The folder of the uploaded files. All replicas of the media service must see the same one.</summary>
    [Required] public string MediaStorePath { get; set; } = "media_store";

    /// <summary>Bytes of one upload, at most.</summary>
    [ByteSize, Range(1, long.MaxValue)] public long MaxUploadSize { get; set; } = 50L * 1024 * 1024;

    /// <summary>New media is served only to clients with an access token (Client-Server API, Content repository: the freeze).</summary>
    public bool EnableAuthenticatedMedia { get; set; } = true;
}
