using System.ComponentModel.DataAnnotations;

namespace Matrix.Storage.Media;

/// <summary>Where the bytes of media lie: top-level keys of homeserver.yaml.</summary>
public sealed class MediaStoreOptions : IValidatableObject
{
    /// <summary>The folder of the store <c>disk</c>. All replicas of the media service must see the same one.</summary>
    [Required] public string MediaStorePath { get; set; } = "media_store";

    /// <summary><c>disk</c> and <c>s3</c>, in the order in which they are asked; new content goes to the first.</summary>
    [MinLength(1)] public IReadOnlyList<string> MediaStores { get; set; } = ["disk"];

    /// <summary>The store <c>s3</c>.</summary>
    public S3Options MediaS3 { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var name in MediaStores.Where(name => name is not ("disk" or "s3")))
            yield return new ValidationResult($"'{name}' is neither disk nor s3", ["MediaStores"]);
        if (MediaStores.Distinct().Count() != MediaStores.Count)
            yield return new ValidationResult("a store is named twice", ["MediaStores"]);
        if (MediaStores.Contains("s3") && MediaS3.Bucket.Length == 0)
            yield return new ValidationResult("media_s3.bucket must be set for the store s3", ["MediaStores"]);
        if (!string.IsNullOrEmpty(MediaS3.AccessKeyId) && string.IsNullOrEmpty(MediaS3.SecretAccessKey))
            yield return new ValidationResult("media_s3.secret_access_key must be set with media_s3.access_key_id", ["MediaS3"]);
    }
}

/// <summary>A bucket of S3 or of something that speaks like it.</summary>
public sealed class S3Options
{
    /// <summary>The name of the bucket. Needed for the store <c>s3</c>.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>The service's URL; left out for Amazon's own.</summary>
    public string? Endpoint { get; set; }

    /// <summary>The region that requests are signed for.</summary>
    [Required] public string Region { get; set; } = "us-east-1";

    /// <summary>
    /// The id of the key that requests are signed with. Left out, the environment's credentials are used: variables, a profile, the machine's role.
    /// </summary>
    public string? AccessKeyId { get; set; }

    /// <summary>The key itself, with <c>access_key_id</c>.</summary>
    public string? SecretAccessKey { get; set; }

    /// <summary>Before the name of every object, such as <c>media/</c>.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>The bucket in the path instead of in the host name, as most who are not Amazon want it.</summary>
    public bool ForcePathStyle { get; set; } = true;

    /// <summary>Sends clients to the bucket by a signed address instead of passing the bytes through.</summary>
    public bool Redirect { get; set; }

    /// <summary>How long such an address can be used.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "7.00:00:00")] public TimeSpan RedirectLifetime { get; set; } = TimeSpan.FromMinutes(10);
}
