using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Admin;

/// <summary>Answers of the admin API, in Synapse's shapes.</summary>
sealed record QuarantinedMedia(int NumQuarantined);

sealed record DeletedMediaIds(IReadOnlyList<string> DeletedMedia, int Total)
{
    public DeletedMediaIds(IReadOnlyList<string> ids) : this(ids, ids.Count)
    {
    }
}

/// <summary>A piece of media in a user's list.</summary>
sealed record UserMedia(
    string MediaId, string MediaType, long MediaLength, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? UploadName, long CreatedTs,
    long LastAccessTs, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? QuarantinedBy, bool SafeFromQuarantine)
{
    public static UserMedia Of(MediaInfo media) => new(media.MediaId, media.ContentType, media.Size, media.FileName, media.CreatedAt.ToUnixTimeMilliseconds(),
        media.LastAccess.ToUnixTimeMilliseconds(), media.QuarantinedBy, media.Protected);
}

static class AdminTimes
{
    // somebody who writes seconds would delete nothing, or everything
    const long ThirtyYears = 30L * 365 * 24 * 3600 * 1000;

    /// <exception cref="MatrixException">400: it is no time in milliseconds.</exception>
    public static DateTimeOffset Before(long? milliseconds) => milliseconds switch
    {
        null => throw MatrixException.MissingParam("before_ts"),
        < ThirtyYears or > 253_402_300_799_999 => throw MatrixException.InvalidParam("before_ts must be a time in milliseconds since 1970."),
        { } some => DateTimeOffset.FromUnixTimeMilliseconds(some),
    };
}
