namespace Matrix.Protocol;

/// <summary>Whom an event says that it mentions: <c>content.m.mentions</c> (C-S API, User and room mentions).</summary>
/// <param name="Users">The texts of <c>user_ids</c>, each once; they need not be user ids.</param>
/// <param name="Room">Is everybody in the room mentioned?</param>
public sealed record Mentions(IReadOnlyCollection<string> Users, bool Room)
{
    /// <summary>Nobody is mentioned.</summary>
    public static Mentions None { get; } = new([], false);

    /// <summary>Those of an event; none if it has none, or none that can be understood.</summary>
    /// <param name="pdu">The event.</param>
    public static Mentions Read(Pdu pdu)
    {
        var mentions = JsonObjectReader.Find(pdu.ContentJson.Span, "m.mentions"u8);
        if (mentions.Length <= 2 || mentions[0] != '{')
            return None;
        var room = JsonObjectReader.Find(mentions, "room"u8).SequenceEqual("true"u8);
        var list = JsonObjectReader.Find(mentions, "user_ids"u8);
        if (list.IsEmpty || list[0] != '[')
            return room ? new Mentions([], true) : None;
        var users = new HashSet<string>(StringComparer.Ordinal);
        var reader = new JsonArrayReader(list);
        while (reader.MoveNext())
        {
            if (JsonText.ReadString(reader.Value) is { } user)
                users.Add(user);
        }
        return new Mentions(users, room);
    }
}
