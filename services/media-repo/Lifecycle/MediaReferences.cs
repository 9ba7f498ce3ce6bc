using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Lifecycle;

/// <summary>
/// Looks through the log for events that name media, wherever in them, and for redactions of those. What encrypted events name cannot be seen: that is why
/// only media that nobody has ever read counts as referred to by nobody.
/// </summary>
public sealed partial class MediaReferences(MediaReferenceStore store, TimeProvider time)
{
    const int Page = 2000;

    /// <summary>Until the log's end.</summary>
    /// <returns>Since when all events were looked at.</returns>
    public async Task<DateTimeOffset> Follow(CancellationToken ct)
    {
        var (position, since) = await store.Begin(time.GetUtcNow(), ct);
        while (await store.FindPage(position, Page, ct) is { } upTo)
        {
            var (references, redacted) = (new List<(EventOfMedia, MxcUri)>(), new List<string>());
            foreach (var e in await store.List(position, upTo, ct))
            {
                if (e.IsRedaction && FindRedacted(e.Json) is { } target)
                    redacted.Add(target);
                references.AddRange(Find(e.Json).Select(uri => (e, uri)));
            }
            await store.Store(references, redacted, upTo, time.GetUtcNow(), ct);
            position = upTo;
        }
        return since;
    }

    /// <summary>What an event names.</summary>
    internal static HashSet<MxcUri> Find(byte[] json)
    {
        var found = new HashSet<MxcUri>();
        foreach (var match in Uris().Matches(Encoding.UTF8.GetString(json)).Select(match => match.Value))
        {
            if (MxcUri.TryParse(match, out var uri))
                found.Add(uri);
        }
        return found;
    }

    // at the top until room version 10, in the content since
    static string? FindRedacted(byte[] json)
    {
        using var pdu = JsonDocument.Parse(json);
        foreach (var place in new[] { pdu.RootElement, pdu.RootElement.TryGetProperty("content", out var content) ? content : default })
        {
            if (place.ValueKind == JsonValueKind.Object && place.TryGetProperty("redacts", out var id) && id.ValueKind == JsonValueKind.String)
                return id.GetString();
        }
        return null;
    }

    [GeneratedRegex("""mxc://[A-Za-z0-9.:\[\]-]{1,255}/[A-Za-z0-9_-]{1,255}""", RegexOptions.CultureInvariant)]
    private static partial Regex Uris();
}
