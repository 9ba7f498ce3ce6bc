using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Protocol;
using Matrix.Rooms.Spaces;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>A user's rooms that are not over, by room id; empty for nobody.</summary>
sealed class RoomGuest(IReadOnlyList<UserMembership> memberships)
{
    public static readonly RoomGuest Nobody = new([]);

    readonly Dictionary<string, string> byRoom = memberships.ToDictionary(m => m.RoomId, m => m.Membership);

    public string? Membership(string roomId) => byRoom.GetValueOrDefault(roomId);

    public bool IsJoined(string roomId) => Membership(roomId) == "join";
}

/// <summary>Who may be shown that a room exists (Client-Server API, GET /rooms/{roomId}/hierarchy): those in it, and those who may come in or ask to.</summary>
sealed class RoomAccess(StateTree states, EventCache events)
{
    /// <summary>The rooms whose members may join, of a room that says so.</summary>
    public async ValueTask<IReadOnlyList<string>> ListAllowed(RoomDetail room, CancellationToken ct)
    {
        if (room.JoinRule is not ("restricted" or "knock_restricted")
            || await states.Find(StateNodeId.Read(room.StateRoot), new StateKeyPair(EventTypes.JoinRules, ""), ct) is not { } nid)
            return [];
        var batch = new EventBatch();
        await events.Load(batch, [nid], ct);
        return batch.Find(nid) is { } rules ? [.. Allowed(JsonElement.Parse(rules.Content.Span))] : [];
    }

    public static bool MayKnow(RoomDetail room, RoomGuest guest, IReadOnlyList<string> allowed) =>
        guest.Membership(room.RoomId) is "join" or "invite"
        || room.JoinRule is "public" or "knock" or "knock_restricted"
        || room.HistoryVisibility == "world_readable"
        || (room.JoinRule == "restricted" && allowed.Any(guest.IsJoined));

    /// <summary>Of a room of which another server told.</summary>
    public static bool MayKnow(SpaceSummary room, RoomGuest guest) =>
        guest.Membership(room.RoomId) is "join" or "invite" || room.JoinRule is null or "public" or "knock" or "knock_restricted" || room.WorldReadable
        || (room.JoinRule == "restricted" && (room.AllowedRoomIds ?? []).Any(guest.IsJoined));

    static IEnumerable<string> Allowed(JsonElement rules)
    {
        if (!rules.TryGetProperty("allow", out var allow) || allow.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var condition in allow.EnumerateArray())
        {
            if (condition.ValueKind == JsonValueKind.Object && condition.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
                && type.ValueEquals("m.room_membership") && condition.TryGetProperty("room_id", out var id) && id.ValueKind == JsonValueKind.String)
                yield return id.GetString()!;
        }
    }
}
