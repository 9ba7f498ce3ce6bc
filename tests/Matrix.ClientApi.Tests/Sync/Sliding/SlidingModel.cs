using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>What a client knows who has applied every answer that it got.</summary>
sealed class SlidingModel
{
    public Dictionary<string, ModelRoom> Rooms { get; } = new(StringComparer.Ordinal);

    public string? Pos { get; private set; }

    public void Apply(SlidingReply reply)
    {
        Pos = reply.Pos;
        foreach (var id in reply.Rooms)
        {
            if (!Rooms.TryGetValue(id, out var room) || reply[id].Find("initial")?.GetBoolean() == true)
                Rooms[id] = room = new ModelRoom();
            room.Apply(reply, id);
        }
    }

    /// <summary>The server has forgotten the connection.</summary>
    public void Restart()
    {
        Pos = null;
        Rooms.Clear();
    }

    public sealed class ModelRoom
    {
        public string Membership { get; private set; } = "";

        public string? Name { get; private set; }

        public int Joined { get; private set; }

        public int Invited { get; private set; }

        /// <summary>Event ids by type and state key.</summary>
        public SortedDictionary<string, string> State { get; } = new(StringComparer.Ordinal);

        public List<string> Timeline { get; } = [];

        public void Apply(SlidingReply reply, string id)
        {
            var room = reply[id];
            Membership = room.Find("membership")?.GetString() ?? Membership;
            if (room.Find("name") is { } name)
                Name = name.ValueKind == JsonValueKind.Null ? null : name.GetString();
            Joined = room.Find("joined_count")?.GetInt32() ?? Joined;
            Invited = room.Find("invited_count")?.GetInt32() ?? Invited;
            foreach (var e in reply.State(id))
                State[$"{e.String("type")} {e.String("state_key")}"] = e.String("event_id");
            if (room.Find("limited")?.GetBoolean() == true || room.Find("unstable_expanded_timeline")?.GetBoolean() == true)
                Timeline.Clear();
            Timeline.AddRange(reply.Timeline(id).Select(e => e.String("event_id")));
        }
    }
}
