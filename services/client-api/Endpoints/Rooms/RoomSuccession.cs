using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.ClientApi.Accounts;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>
/// What a user had set for a room goes on in the room that replaced it, once the user comes there (C-S API, Room Upgrades): tags, the push rule for the
/// room, and that it is a direct chat. What the user has set for the new room already stays.
/// </summary>
sealed class RoomSuccession(RoomFinder rooms, RoomState state, AccountDataStore data, PushRulesets rules, LogWriter log, Caches caches)
{
    const string Direct = "m.direct", RoomRules = "room";

    // what a create event says never changes; null: of no other room
    readonly BoundedCache<RoomId, RoomId?> predecessors = caches.Create<RoomId, RoomId?>(
        "room_predecessors", 1 << 20, (room, before) => Caches.WeightOf(room.ToString()) + Caches.WeightOf(before?.ToString()));

    /// <summary>Does nothing the second time, and in a room that replaced none.</summary>
    public async Task Follow(UserId userId, RoomId roomId, CancellationToken ct)
    {
        if (await FindPredecessor(roomId, ct) is not { } old || !await IsReplacedBy(old, roomId, ct))
            return;
        var changes = new List<LogChange>();
        if (await data.FindForRoom(userId, old, TagChanged.Type, ct) is { } tags && await data.FindForRoom(userId, roomId, TagChanged.Type, ct) is null)
            changes.Add(new AccountDataChanged(userId, roomId, TagChanged.Type, tags));
        if (await data.FindGlobal(userId, Direct, ct) is { } direct && AddTo(direct, old, roomId) is { } added)
            changes.Add(new AccountDataChanged(userId, null, Direct, added));
        await Task.WhenAll(changes.Select(change => log.Append(change, ct)));
        var set = (await rules.Get(userId, ct)).Room;
        if (set.FirstOrDefault(rule => rule.RuleId == old.ToString()) is { } rule && set.All(other => other.RuleId != roomId.ToString()))
            await rules.Change(userId, ruleset => ruleset.Put(RoomRules, rule with { RuleId = roomId.ToString() }, null, null), ct);
    }

    async ValueTask<RoomId?> FindPredecessor(RoomId roomId, CancellationToken ct)
    {
        if (predecessors.TryGet(roomId, out var known))
            return known;
        if (await Find(roomId, EventTypes.Create, ct) is not { } create)
            return null;
        RoomId? found = JsonElement.Parse(create.ContentJson.Span).TryGetProperty("predecessor", out var predecessor) && predecessor.ValueKind == JsonValueKind.Object
            && predecessor.TryGetProperty("room_id", out var id) && id.ValueKind == JsonValueKind.String && RoomId.TryParse(id.GetString(), out var old) ? old : null;
        predecessors.Set(roomId, found);
        return found;
    }

    // anybody can make a room that claims to follow another
    async ValueTask<bool> IsReplacedBy(RoomId old, RoomId roomId, CancellationToken ct) =>
        (await Find(old, EventTypes.Tombstone, ct))?.ContentString("replacement_room"u8) == roomId.ToString();

    async ValueTask<Pdu?> Find(RoomId roomId, string type, CancellationToken ct) =>
        await rooms.Find(roomId, ct) is { } room ? await state.FindNow(room, type, ct) : null;

    // null: nothing to add
    static string? AddTo(string direct, RoomId old, RoomId roomId)
    {
        var content = JsonNode.Parse(direct)!.AsObject();
        var isChanged = false;
        foreach (var (_, chats) in content)
        {
            var ids = chats is JsonArray array ? array.Select(id => id is JsonValue value && value.TryGetValue<string>(out var text) ? text : null).ToList() : [];
            if (!ids.Contains(old.ToString()) || ids.Contains(roomId.ToString()))
                continue;
            chats!.AsArray().Add(roomId.ToString());
            isChanged = true;
        }
        return isChanged ? content.ToJsonString() : null;
    }
}
