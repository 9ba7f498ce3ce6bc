using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A list's filter with the rooms of the spaces that it names.</summary>
sealed record ResolvedFilter(RoomListFilter Filter, HashSet<string>? InSpaces)
{
    public bool Passes(RoomEntry entry, RoomLabels labels) =>
        (Filter.IsDirect is not { } direct || labels.IsDirect(entry.RoomId) == direct)
        && (Filter.IsInvite is not { } invite || entry.Membership == "invite" == invite)
        && (Filter.IsEncrypted is not { } encrypted || (entry.Kind?.Encrypted ?? false) == encrypted)
        && (Filter.RoomTypes is not { } types || types.Contains(entry.Kind?.RoomType))
        && (Filter.NotRoomTypes is not { } notTypes || !notTypes.Contains(entry.Kind?.RoomType))
        && (Filter.Tags is not { } tags || labels.HasAny(entry.RoomId, tags))
        && (Filter.NotTags is not { } notTags || !labels.HasAny(entry.RoomId, notTags))
        && InSpaces?.Contains(entry.RoomId) != false;
}

/// <summary>Which rooms belong to spaces: those that the spaces' own m.space.child events name, as far as the user is in the space.</summary>
sealed class SpaceChildren(RoomRoots roots, RoomOutlines outlines, EventCache events)
{
    public async ValueTask<ResolvedFilter> Resolve(RoomListFilter filter, ListSnapshot snapshot, CancellationToken ct)
    {
        if (filter.Spaces is not { } wanted)
            return new ResolvedFilter(filter, null);
        var joined = snapshot.Rooms.Values.Where(room => room.Membership == "join" && wanted.Contains(room.RoomId)).ToList();
        var states = await roots.Get([.. joined.Select(space => (space.RoomNid, snapshot.Position.Value))], ct);
        var children = new List<(string RoomId, long EventNid)>();
        foreach (var ((space, _), root) in states)
        {
            foreach (var (key, nid) in await outlines.Read(space, root, ct))
            {
                if (key.Type == EventTypes.SpaceChild)
                    children.Add((key.StateKey, nid));
            }
        }
        var batch = new EventBatch();
        await events.Load(batch, [.. children.Select(child => child.EventNid)], ct);
        return new ResolvedFilter(filter, [.. children.Where(child => batch.Find(child.EventNid) is { } e && HasVia(e)).Select(child => child.RoomId)]);
    }

    // Without "via" a child has been removed (m.space.child).
    static bool HasVia(EncodedEvent e) =>
        JsonElement.Parse(e.Content.Span).TryGetProperty("via", out var via) && via.ValueKind == JsonValueKind.Array && via.GetArrayLength() > 0;
}
