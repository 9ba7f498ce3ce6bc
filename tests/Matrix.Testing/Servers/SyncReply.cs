using System.Text.Json;

namespace Matrix.Testing.Servers;

/// <summary>An answer of <c>/sync</c>. Members that the server may leave out read as empty.</summary>
public sealed class SyncReply(Reply reply)
{
    public JsonElement Json => reply.Json;

    public string NextBatch => reply.String("next_batch");

    public JsonElement? Joined(string room) => Room("join", room);

    public JsonElement? Invited(string room) => Room("invite", room);

    public JsonElement? Left(string room) => Room("leave", room);

    /// <summary>The timeline's events of a joined or left room.</summary>
    public IReadOnlyList<JsonElement> Timeline(string room) => Events(room, "timeline");

    /// <summary>The state events before the timeline.</summary>
    public IReadOnlyList<JsonElement> State(string room) => Events(room, "state");

    /// <summary>The bodies of the messages in a room's timeline, oldest first.</summary>
    public IReadOnlyList<string> Bodies(string room) => Timeline(room).Bodies();

    public bool HasMessage(string room, string body) => Bodies(room).Contains(body);

    public IReadOnlyList<JsonElement> AccountData => Json.Find("account_data.events")?.Items() ?? [];

    JsonElement? Room(string kind, string room) => Json.Find("rooms")?.Find(kind)?.Find(room);

    IReadOnlyList<JsonElement> Events(string room, string part) =>
        (Joined(room) ?? Left(room))?.Find(part)?.Find("events")?.Items() ?? [];
}
