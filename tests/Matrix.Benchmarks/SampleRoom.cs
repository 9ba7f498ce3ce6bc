using System.Text;
using Matrix.Protocol;

namespace Matrix.Benchmarks;

/// <summary>A room of version 12 with events to measure.</summary>
sealed class SampleRoom
{
    public static readonly ServerName Server = ServerName.Parse("example.org");
    public static readonly UserId Alice = UserId.Parse("@alice:example.org");
    public static readonly UserId Bob = UserId.Parse("@bob:example.org");

    public SampleRoom()
    {
        Create = Build(EventTypes.Create, "", Alice, """{"room_version":"12"}""");
        AliceJoin = Build(EventTypes.Member, Alice.ToString(), Alice, """{"membership":"join"}""", Create);
        PowerLevels = Build(EventTypes.PowerLevels, "", Alice, """{"users":{"@mod:example.org":50},"events":{"m.room.name":50,"m.room.power_levels":100}}""", AliceJoin);
        JoinRules = Build(EventTypes.JoinRules, "", Alice, """{"join_rule":"public"}""", AliceJoin, PowerLevels);
        BobJoin = Build(EventTypes.Member, Bob.ToString(), Bob, """{"membership":"join"}""", PowerLevels, JoinRules);
        Message = Build(EventTypes.Message, null, Bob,
            $$$"""{"msgtype":"m.text","body":"{{{new string('x', 380)}}}","m.mentions":{"user_ids":["@alice:example.org"]}}""", PowerLevels, BobJoin);
    }

    public SigningKey Key { get; } = SigningKey.FromSeed("1", new byte[32]);

    public RoomVersionRules Rules => RoomVersions.V12;

    public Pdu Create { get; }

    public Pdu AliceJoin { get; }

    public Pdu PowerLevels { get; }

    public Pdu JoinRules { get; }

    public Pdu BobJoin { get; }

    /// <summary>About 1 KiB.</summary>
    public Pdu Message { get; }

    public Pdu Build(string type, string? stateKey, UserId sender, string content, params Pdu[] auth) => new PduBuilder
    {
        Type = type,
        StateKey = stateKey,
        Sender = sender,
        RoomId = type == EventTypes.Create ? null : Create.RoomId,
        Content = Encoding.UTF8.GetBytes(content),
        PrevEvents = [.. auth.TakeLast(1).Select(pdu => pdu.EventId)],
        AuthEvents = [.. auth.Where(pdu => pdu.Type != EventTypes.Create).Select(pdu => pdu.EventId)],
        Depth = 10,
        OriginServerTs = 1_700_000_000_000,
    }.Build(Rules, Server, Key);
}
