using System.Text;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Protocol.Tests;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>
/// The events of a room in which mostly one message follows the other, in the order in which a server gets them, with everything else in between: forks, changes
/// of state on one end of several, fights over power, redactions, threads, repetitions, and what is forbidden at its place or by now. The same seed makes the same.
/// </summary>
sealed class BusyRoom
{
    const string Ours = "@bob:example.org";
    static readonly string[] s_users = ["@alice:far.example", "@carol:far.example", "@dave:further.example", Ours];

    readonly Random random;
    readonly RoomVersionRules rules;
    readonly NaiveRoom naive;
    readonly Pdu create;

    public BusyRoom(int seed, RoomVersionRules rules, int length)
    {
        (random, this.rules, naive) = (new Random(seed), rules, new NaiveRoom(rules));
        var alice = s_users[0];
        create = Take(new PduBuilder
        {
            Type = EventTypes.Create, StateKey = "", Sender = UserId.Parse(alice), RoomId = rules.RoomIdIsCreateHash ? null : RoomId.Parse($"!busy{seed}:far.example"),
            Content = Encoding.UTF8.GetBytes(rules.CreatorIsSender ? "{}" : $$"""{"creator":"{{alice}}"}"""), PrevEvents = [], AuthEvents = [], Depth = 1,
            OriginServerTs = 1_700_000_000_000 - seed,
        }.Build(rules, ServerName.Parse("far.example"), TestRoom.Key));
        Do(EventTypes.Member, alice, alice, """{"membership":"join"}""", Last);
        Do(EventTypes.PowerLevels, "", alice, Powers(50), Last);
        Do(EventTypes.JoinRules, "", alice, """{"join_rule":"public"}""", Last);
        foreach (var user in s_users.Skip(1))
            Do(EventTypes.Member, user, user, """{"membership":"join"}""", Last);
        while (Events.Count < length)
            Step();
    }

    public List<Pdu> Events { get; } = [];

    public List<Reception> Expected { get; } = [];

    public NaiveRoom Naive => naive;

    List<EventId> Last => [Events[^1].EventId];

    void Step()
    {
        var (sender, target) = (s_users[random.Next(4)], s_users[random.Next(4)]);
        switch (random.Next(24))
        {
            case 0:
                var before = Ends();
                Do(EventTypes.Member, target, sender, $$"""{"membership":"{{(random.Next(2) == 0 ? "leave" : "ban")}}"}""", before);
                // who is gone says something where nobody knew of it yet
                Do("m.room.message", null, target, """{"body":"too late"}""", before);
                break;
            case 1 or 2:
                Do(EventTypes.Member, sender, sender, $$"""{"membership":"join","displayname":"{{random.Next(100)}}"}""", Prev());
                break;
            case 3:
                Do(EventTypes.PowerLevels, "", s_users[0], Powers(random.Next(3) * 50), Prev());
                break;
            case 4 or 5:
                Do(EventTypes.Name, "", sender, $$"""{"name":"{{random.Next(1000)}}"}""", Prev());
                break;
            case 6:
                var redacted = Events[^random.Next(1, 6)].EventId;
                Do("m.room.redaction", null, sender, $$"""{"redacts":"{{redacted}}"}""", Prev(), redacted);
                break;
            case 7:
                // users of this server are refused threads within threads
                Do("m.room.message", null, sender == Ours ? target == Ours ? s_users[1] : target : sender, Related("m.thread"), Prev());
                break;
            case 8:
                Do("m.room.message", null, sender, Related("m.replace"), Prev());
                break;
            case 9:
                Take(Events[^random.Next(1, 6)]);
                break;
            case 10:
                Do("m.room.message", null, "@stranger:far.example", """{"body":"not here"}""", Prev());
                break;
            case 11:
                Do("m.room.message", null, sender, $$"""{"body":"{{random.Next()}} {{Ours}}","m.mentions":{"user_ids":["{{Ours}}"]} }""", Prev());
                break;
            default:
                Do("m.room.message", null, sender, $$"""{"body":"{{random.Next()}}"}""", random.Next(8) == 0 ? Prev() : Ends());
                break;
        }
    }

    List<EventId> Ends() => [.. naive.Extremities.Order()];

    List<EventId> Prev() => random.Next(5) switch
    {
        0 => [Events[^random.Next(1, Math.Min(8, Events.Count - 6))].EventId],
        1 => [.. new[] { Events[^1].EventId, Events[^random.Next(1, 5)].EventId }.Distinct()],
        2 => Last,
        _ => Ends(),
    };

    string Related(string type) =>
        $$$"""{"body":"a","m.relates_to":{"rel_type":"{{{type}}}","event_id":"{{{Events[^random.Next(1, 6)].EventId}}}"},"m.new_content":{"body":"{{{random.Next()}}}"} }""";

    string Powers(int carol)
    {
        var users = new Dictionary<string, int> { [s_users[1]] = carol };
        if (!rules.HasPrivilegedCreators)
            users[s_users[0]] = 100;
        return JsonSerializer.Serialize(new { users, events = new Dictionary<string, int> { [EventTypes.Name] = random.Next(2) * 50 } });
    }

    void Do(string type, string? stateKey, string sender, string content, List<EventId> prev, EventId? redacts = null)
    {
        var (user, before) = (UserId.Parse(sender), naive.StateAfter(prev));
        Take(new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = user, RoomId = create.RoomId, Content = Encoding.UTF8.GetBytes(content), PrevEvents = prev,
            AuthEvents = [.. AuthEvents.KeysFor(type, stateKey, user, JsonElement.Parse(content), rules).Where(before.ContainsKey).Select(key => before[key]).Distinct()],
            Depth = Events.Count + 1, OriginServerTs = 1_700_000_000_000 + Events.Count, Redacts = redacts,
        }.Build(rules, user.Server, TestRoom.Key));
    }

    Pdu Take(Pdu pdu)
    {
        Events.Add(pdu);
        Expected.Add(naive.Receive(pdu));
        return pdu;
    }
}
