using System.Text;

namespace Matrix.Protocol.Tests;

/// <summary>Makes signed events of one room for tests.</summary>
sealed class TestRoom
{
    public static readonly ServerName Server = ServerName.Parse("example.org");
    public static readonly SigningKey Key = SigningKey.FromSeed("1", new byte[32]);
    public static readonly UserId Alice = UserId.Parse("@alice:example.org");
    public static readonly UserId Bob = UserId.Parse("@bob:example.org");

    public TestRoom(RoomVersionRules rules, string createContent = "{}")
    {
        Rules = rules;
        var content = rules.CreatorIsSender ? createContent : createContent.Replace("{", """{"creator":"@alice:example.org",""").Replace(",}", "}");
        Create = Build(EventTypes.Create, content, stateKey: "", roomId: rules.RoomIdIsCreateHash ? null : RoomId.Parse("!r:example.org"));
        RoomId = Create.RoomId;
    }

    public RoomVersionRules Rules { get; }

    public Pdu Create { get; }

    public RoomId RoomId { get; }

    public Pdu Event(string type, string content, UserId? sender = null, string? stateKey = null, EventId? redacts = null) =>
        Build(type, content, sender, stateKey, RoomId, redacts);

    Pdu Build(string type, string content, UserId? sender = null, string? stateKey = null, RoomId? roomId = null, EventId? redacts = null) =>
        new PduBuilder
        {
            Type = type,
            StateKey = stateKey,
            Sender = sender ?? Alice,
            RoomId = roomId,
            Content = Encoding.UTF8.GetBytes(content),
            Depth = 1,
            OriginServerTs = 1_700_000_000_000,
            PrevEvents = roomId is null || type == EventTypes.Create ? [] : [Create.EventId],
            AuthEvents = [],
            Redacts = redacts,
        }.Build(Rules, Server, Key);
}
