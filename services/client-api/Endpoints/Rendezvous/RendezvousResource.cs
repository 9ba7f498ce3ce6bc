using System.Globalization;
using System.Text;
using Matrix.Hosting.Configuration;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>The version of MSC4108 as clients have it: the place is a resource with an ETag, and its payload a text.</summary>
static class RendezvousResource
{
    public const string Root = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";

    /// <exception cref="MatrixException">413.</exception>
    public static async Task<string> ReadText(HttpRequest request, CancellationToken ct)
    {
        var bytes = new byte[MeetingPlaces.MostBytes + 1];
        var length = await request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        if (length > MeetingPlaces.MostBytes) throw MatrixException.TooLarge("The payload is too large.");
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    /// <summary>Where it is, as both devices reach it.</summary>
    public static string UrlOf(Storage.Rendezvous place, HomeserverOptions homeserver, HttpRequest request)
    {
        var root = homeserver.PublicBaseurl?.ToString().TrimEnd('/') ?? $"{request.Scheme}://{request.Host}";
        return $"{root}{Root}/{place.RendezvousId}";
    }

    public static void Describe(this HttpResponse response, Storage.Rendezvous place)
    {
        response.Headers.ETag = Quote(place.Sequence);
        response.Headers.LastModified = place.ChangedAt.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.Expires = place.ExpiresAt.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        response.Headers["X-Max-Bytes"] = MeetingPlaces.MostBytes.ToString(CultureInfo.InvariantCulture);
    }

    public static string Quote(string sequence) => $"\"{sequence}\"";
}
