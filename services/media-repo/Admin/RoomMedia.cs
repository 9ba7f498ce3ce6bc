using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Admin;

/// <summary>
/// The media that a room's events are about: what they show, not what somebody writes in a text. Encrypted events say nothing of it. Reads the whole
/// room, a page at a time.
/// </summary>
public sealed class RoomMedia(MediaAdminStore store)
{
    const int Page = 500;

    public async Task<IReadOnlySet<MxcUri>> List(RoomId room, CancellationToken ct)
    {
        var found = new HashSet<MxcUri>();
        var after = 0L;
        IReadOnlyList<EventWithMedia> page;
        do
        {
            page = await store.ListEventsWithMedia(room, after, Page, ct);
            foreach (var pdu in page)
            {
                using var json = JsonDocument.Parse(pdu.Json);
                Add(found, json.RootElement, "content", "url");
                Add(found, json.RootElement, "content", "info", "thumbnail_url");
                after = pdu.EventNid;
            }
        }
        while (page.Count == Page);
        return found;
    }

    static void Add(HashSet<MxcUri> found, JsonElement json, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json))
                return;
        }
        if (json.ValueKind == JsonValueKind.String && MxcUri.TryParse(json.GetString(), out var uri))
            found.Add(uri);
    }
}
