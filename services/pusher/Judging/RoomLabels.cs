using Matrix.Storage.Caching;
using Matrix.Storage.Push;
using Matrix.Storage.Rooms;

namespace Matrix.Pusher.Judging;

/// <summary>What rooms are called, until the log tells that it may be something else.</summary>
sealed class RoomLabels(RoomSummaryStore summaries, PushRoomStore rooms, Caches caches)
{
    const int Heroes = 6;

    readonly BoundedCache<long, RoomLabel> cache = caches.Create<long, RoomLabel>(
        "pusher_room_labels", 2 << 20, (_, label) => 200 + Caches.WeightOf(label.Name) + (200L * label.Heroes.Count));
    int changes;

    public void Changed(long roomNid)
    {
        Interlocked.Increment(ref changes);
        cache.Remove(roomNid);
    }

    public async ValueTask<RoomLabel> Get(long roomNid, CancellationToken ct)
    {
        if (cache.TryGet(roomNid, out var label))
            return label;
        var before = Volatile.Read(ref changes);
        var summary = await summaries.Find(roomNid, ct);
        var (name, alias) = (NullIfEmpty(summary?.Name), NullIfEmpty(summary?.CanonicalAlias));
        var heroes = name is null && alias is null ? await rooms.ListHeroes(roomNid, Heroes, ct) : [];
        label = new RoomLabel(name, alias, summary?.JoinedCount ?? 0, [.. heroes.Select(hero => (hero.UserId, hero.DisplayName))]);
        if (Volatile.Read(ref changes) == before)
            cache.Set(roomNid, label);
        return label;
    }

    static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
