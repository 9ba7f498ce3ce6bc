using System.Net;
using System.Text.Json;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests;

/// <summary>
/// A client in the shape of Element X: one sliding connection for rooms, whose list grows and which subscribes to the open room, and one for encryption. A request that
/// failed is made again from the same place, a connection that the server has forgotten begins anew, and gaps are filled by paging back.
/// </summary>
sealed class ElementClient(User user) : IAsyncDisposable
{
    const string Sliding = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

    static readonly string[][] State =
    [
        ["m.room.name", ""], ["m.room.encryption", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"], ["m.room.topic", ""], ["m.room.avatar", ""],
        ["m.room.canonical_alias", ""], ["m.room.power_levels", ""], ["org.matrix.msc3401.call.member", "*"], ["m.room.join_rules", ""], ["m.room.tombstone", ""],
        ["m.room.create", ""], ["m.room.history_visibility", ""], ["io.element.functional_members", ""], ["m.space.parent", "*"], ["m.space.child", "*"],
        ["org.matrix.msc3672.beacon_info", "*"],
    ];

    readonly CancellationTokenSource stop = new();
    readonly Lock gate = new();
    readonly Dictionary<string, List<(string EventId, string Body)>> timelines = [];
    readonly Dictionary<string, string> names = [];
    readonly List<int> deviceMessages = [];
    readonly List<string> wrong = [];
    Task rooms = Task.CompletedTask;
    Task encryption = Task.CompletedTask;

    /// <summary>The room that its user looks at.</summary>
    public string? Open { get; set; }

    /// <summary>What did not go as it should have: an event that came twice.</summary>
    public IReadOnlyList<string> Wrong => Locked(() => wrong.ToArray());

    /// <summary>The numbers in the messages to this device, as they came.</summary>
    public IReadOnlyList<int> DeviceMessages => Locked(() => deviceMessages.ToArray());

    /// <summary>The messages of a room, oldest first.</summary>
    public IReadOnlyList<string> Bodies(string room) => Locked(() => (timelines.GetValueOrDefault(room) ?? []).Select(message => message.Body).ToArray());

    public string? NameOf(string room) => Locked(() => names.GetValueOrDefault(room));

    public void Begin() => (rooms, encryption) = (Follow("room-list", RoomList, TakeRooms), Follow("encryption", Encryption, TakeEncryption));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(rooms, encryption);
        stop.Dispose();
    }

    async Task Follow(string name, Func<JsonElement?, object> request, Func<JsonElement, Task> take)
    {
        JsonElement? last = null;
        while (!stop.IsCancellationRequested)
        {
            var pos = last?.String("pos");
            var reply = await Try(() => user.Post($"{Sliding}?timeout=3000{(pos is null ? "" : $"&pos={ApiClient.Esc(pos)}")}", request(last)));
            if (reply is { Status: HttpStatusCode.OK })
            {
                last = reply.Json;
                await take(reply.Json);
            }
            else if (reply is { Status: HttpStatusCode.BadRequest, Errcode: "M_UNKNOWN_POS" })
                last = null;
            else if (reply is null or { Status: HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout })
                await Pause();
            else
                throw new InvalidOperationException($"{name}: {reply}");
        }
    }

    object RoomList(JsonElement? last) => new
    {
        conn_id = "room-list",
        lists = new { all_rooms = new { ranges = new[] { new[] { 0, last is null ? 0 : 99 } }, timeline_limit = 1, required_state = State } },
        room_subscriptions = Open is null ? [] : new Dictionary<string, object>
        {
            [Open] = new { timeline_limit = 20, required_state = State.Append(["m.room.pinned_events", ""]) },
        },
        extensions = new { account_data = new { enabled = true }, receipts = new { enabled = true, rooms = new[] { "*" } }, typing = new { enabled = true } },
    };

    // Its token outlives the connection: it says what has arrived.
    string? deviceToken;

    object Encryption(JsonElement? last) => new
    {
        conn_id = "encryption", extensions = new { to_device = new { enabled = true, since = deviceToken }, e2ee = new { enabled = true } },
    };

    Task TakeEncryption(JsonElement answer)
    {
        deviceToken = answer.Find("extensions.to_device.next_batch")?.GetString() ?? deviceToken;
        Locked(() => deviceMessages.AddRange((answer.Find("extensions.to_device.events")?.Items() ?? []).Select(e => e.At("content.number").GetInt32())));
        return Task.CompletedTask;
    }

    async Task TakeRooms(JsonElement answer)
    {
        foreach (var room in answer.At("rooms").EnumerateObject())
        {
            if (room.Value.Find("name")?.GetString() is { } name)
                Locked(() => names[room.Name] = name);
            if (room.Value.Find("timeline")?.Items() is not { Count: > 0 } news)
                continue;
            // what is shown anew: the room itself, or more of it than was asked for before
            var again = IsTrue(room.Value, "initial") || IsTrue(room.Value, "expanded_timeline") || IsTrue(room.Value, "unstable_expanded_timeline");
            var before = again || IsTrue(room.Value, "limited") ? await PageBack(room.Name, room.Value.Find("prev_batch")?.GetString()) : [];
            Add(room.Name, before, news, again);
        }
    }

    void Add(string room, IReadOnlyList<JsonElement> before, IReadOnlyList<JsonElement> news, bool again)
    {
        lock (gate)
        {
            if (!timelines.TryGetValue(room, out var timeline))
                timelines.Add(room, timeline = []);
            foreach (var (e, isNews) in before.Select(e => (e, false)).Concat(news.Select(e => (e, true))))
            {
                if (e.String("type") != "m.room.message")
                    continue;
                var id = e.String("event_id");
                if (!timeline.Exists(known => known.EventId == id))
                    timeline.Add((id, e.String("content.body")));
                else if (isNews && !again)
                    wrong.Add($"{id} came twice");
            }
        }
    }

    /// <summary>What is before a place, up to what is known, oldest first.</summary>
    async Task<IReadOnlyList<JsonElement>> PageBack(string room, string? from)
    {
        var found = new List<JsonElement>();
        while (from is not null && !stop.IsCancellationRequested)
        {
            var reply = await Try(() => user.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/messages?dir=b&limit=20&from={ApiClient.Esc(from)}"));
            if (reply is not { Status: HttpStatusCode.OK })
            {
                await Pause();
                continue;
            }
            found.AddRange(reply["chunk"].Items());
            if (Locked(() => timelines.GetValueOrDefault(room)?.Exists(known => reply["chunk"].Items().Any(e => e.String("event_id") == known.EventId)) == true))
                break;
            from = reply.Json.Find("end")?.GetString();
        }
        found.Reverse();
        return found;
    }

    static bool IsTrue(JsonElement json, string name) => json.Find(name)?.ValueKind == JsonValueKind.True;

    // After an answer that says that nobody is there. A long poll paces the loop otherwise.
    async Task Pause() => await Task.Delay(100, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    static async Task<Reply?> Try(Func<Task<Reply>> request)
    {
        try
        {
            return await request();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    T Locked<T>(Func<T> read)
    {
        lock (gate)
            return read();
    }

    void Locked(Action write)
    {
        lock (gate)
            write();
    }
}
