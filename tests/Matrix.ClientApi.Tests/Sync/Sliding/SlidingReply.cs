using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync.Sliding;

/// <summary>An answer of sliding sync. Members that the server may leave out read as empty.</summary>
public sealed class SlidingReply(Reply reply)
{
    public JsonElement Json => reply.Json;

    public string Pos => reply.String("pos");

    public bool IsEmpty => Rooms.Count == 0;

    /// <summary>The ids of the rooms in the answer.</summary>
    public IReadOnlyList<string> Rooms => [.. reply["rooms"].EnumerateObject().Select(room => room.Name)];

    public JsonElement? Room(string room) => reply["rooms"].Find(room);

    public JsonElement this[string room] => Room(room) ?? throw new InvalidOperationException($"No {room} in {reply}");

    public int Count(string list) => reply["lists"].At(list).At("count").GetInt32();

    public IReadOnlyList<JsonElement> Timeline(string room) => Room(room)?.Find("timeline")?.Items() ?? [];

    public IReadOnlyList<string> Bodies(string room) => Timeline(room).Bodies();

    public IReadOnlyList<JsonElement> State(string room) => Room(room)?.Find("required_state")?.Items() ?? [];

    /// <summary>The state events as "type state_key".</summary>
    public IReadOnlyList<string> StateKeys(string room) => [.. State(room).Select(e => $"{e.String("type")} {e.String("state_key")}".TrimEnd()).Order()];

    public bool HasMessage(string room, string body) => Bodies(room).Contains(body);

    public JsonElement? Extension(string path) => reply["extensions"].Find(path);

    public override string ToString() => reply.ToString();
}

/// <summary>Sliding sync requests of a device.</summary>
static class SlidingRequests
{
    const string Unstable = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

    public static Task<Reply> TrySlide(this User user, object body, string? pos = null, int timeout = 0) =>
        user.Post($"{Unstable}?timeout={timeout}{(pos is null ? "" : $"&pos={ApiClient.Esc(pos)}")}", body);

    public static async Task<SlidingReply> Slide(this User user, object body, string? pos = null, int timeout = 0) =>
        new((await user.TrySlide(body, pos, timeout)).Ok());

    /// <summary>
    /// Asks again, for at most a minute, until the answer is what the test waits for: always from the same place, so that it has all that happened since, however it
    /// reached the server.
    /// </summary>
    public static async Task<SlidingReply> SlideUntil(this User user, object body, Func<SlidingReply, bool> arrived, string? pos = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var reply = await user.Slide(body, pos, pos is null ? 0 : 5_000);
            if (arrived(reply))
                return reply;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60), $"It did not arrive; the last answer was {reply}");
        }
    }

    /// <summary>A request with one list.</summary>
    public static object List(
        int to = 19, int limit = 10, object? filters = null, string[][]? state = null, object? subscriptions = null, object? extensions = null, string? connId = null,
        int[][]? ranges = null) => new Dictionary<string, object?>
        {
            ["conn_id"] = connId ?? "room-list",
            ["lists"] = new Dictionary<string, object?>
            {
                ["all"] = new Dictionary<string, object?>
                {
                    ["ranges"] = ranges ?? [[0, to]],
                    ["timeline_limit"] = limit,
                    ["required_state"] = state ?? [["m.room.name", ""], ["m.room.member", "$LAZY"]],
                    ["filters"] = filters ?? new { },
                },
            },
            ["room_subscriptions"] = subscriptions ?? new { },
            ["extensions"] = extensions ?? new { },
        };

    public static Dictionary<string, object?> Subscribe(string room, int limit = 20, params string[][] state) =>
        new() { [room] = new { timeline_limit = limit, required_state = state } };
}
