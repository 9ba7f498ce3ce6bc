using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>How a user sorts rooms: which are direct chats, and with what tags (account data m.direct and m.tag).</summary>
sealed class RoomLabels
{
    readonly HashSet<string> direct = new(StringComparer.Ordinal);
    readonly Dictionary<string, HashSet<string>> tags = new(StringComparer.Ordinal);

    public RoomLabels(IEnumerable<AccountDataItem> items)
    {
        foreach (var item in items)
        {
            var content = JsonElement.Parse(item.Content);
            if (item.Type == EventTypes.Direct)
                ReadDirect(content);
            else if (content.ValueKind == JsonValueKind.Object && content.TryGetProperty("tags", out var own) && own.ValueKind == JsonValueKind.Object)
                tags[item.RoomId] = own.EnumerateObject().Select(tag => tag.Name).ToHashSet(StringComparer.Ordinal);
        }
    }

    public bool IsDirect(string roomId) => direct.Contains(roomId);

    public bool HasAny(string roomId, IReadOnlyList<string> wanted) => tags.TryGetValue(roomId, out var own) && wanted.Any(own.Contains);

    // A client may have written anything: what is no list of rooms is passed over.
    void ReadDirect(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Object)
            return;
        foreach (var user in content.EnumerateObject().Where(user => user.Value.ValueKind == JsonValueKind.Array))
            direct.UnionWith(user.Value.EnumerateArray().Where(room => room.ValueKind == JsonValueKind.String).Select(room => room.GetString()!));
    }
}
