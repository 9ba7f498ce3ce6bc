using System.Text;
using System.Text.Json;

namespace Matrix.Protocol.Tests;

/// <summary>
/// A case of the auth rules, one file each under Vectors/auth. The state is a standard one (created and joined by Alice, who has 100; Bob has
/// joined; Mod has joined and has 50; the room is for the invited) with the file's events put over it; <c>null</c> as content takes one away.
/// </summary>
sealed class AuthVector
{
    static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    static readonly string[] Joined = ["alice", "bob", "mod"];

    /// <summary>First and last room version that the case is about.</summary>
    public int From { get; init; } = 1;
    public int To { get; init; } = 12;

    /// <summary>Content of the create event; the creator is added where the version wants one.</summary>
    public JsonElement? Create { get; init; }
    public List<VectorEvent> State { get; init; } = [];
    public required VectorEvent Event { get; init; }

    /// <summary>Is there no create event at all?</summary>
    public bool NoCreate { get; init; }

    /// <summary>The events that the event cites; if given, the rules about them are tried rather than those about the state.</summary>
    public List<VectorEvent>? AuthEvents { get; init; }

    /// <summary>"allow", or the name of the rule that refuses.</summary>
    public required string Expect { get; init; }

    public static AuthVector Read(string name)
    {
        using var stream = typeof(AuthVector).Assembly.GetManifestResourceStream("auth/" + name)!;
        return JsonSerializer.Deserialize<AuthVector>(stream, Options)!;
    }

    public static IEnumerable<string> Names() =>
        typeof(AuthVector).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("auth/", StringComparison.Ordinal)).Select(name => name[5..]);

    public AuthResult Run(RoomVersionRules rules)
    {
        var room = new TestRoom(rules, Create?.GetRawText() ?? "{}");
        if (AuthEvents is not null)
            return CheckAuthEvents(room, AuthEvents);
        var state = Standard(rules).ToDictionary(item => (item.Type, item.StateKey));
        foreach (var item in State)
            state[(item.Type, item.StateKey)] = item;
        var events = state.Values.Where(item => item.Content.ValueKind == JsonValueKind.Object).Select(item => item.Build(room)).ToList();
        return EventAuth.Check(Event.Build(room), new AuthState(NoCreate ? events : [room.Create, .. events]), rules);
    }

    AuthResult CheckAuthEvents(TestRoom room, List<VectorEvent> authEvents)
    {
        var built = authEvents.ConvertAll(item => (Pdu: item.Type == EventTypes.Create ? room.Create : item.Build(room), item.Rejected));
        var rejected = built.Where(item => item.Rejected).Select(item => item.Pdu.EventId).ToHashSet();
        return EventAuth.CheckAuthEvents(Event.Build(room), built.ConvertAll(item => item.Pdu), rejected.Contains);
    }

    static IEnumerable<VectorEvent> Standard(RoomVersionRules rules)
    {
        foreach (var user in Joined)
            yield return new() { Type = EventTypes.Member, Sender = user, StateKey = $"@{user}:example.org", Content = JsonElement.Parse("""{"membership":"join"}""") };
        var alice = rules.HasPrivilegedCreators ? "" : "\"@alice:example.org\":100,";
        yield return new() { Type = EventTypes.PowerLevels, StateKey = "", Content = JsonElement.Parse($$$"""{"users":{{{{alice}}}"@mod:example.org":50}}""") };
        yield return new() { Type = EventTypes.JoinRules, StateKey = "", Content = JsonElement.Parse("""{"join_rule":"invite"}""") };
    }
}

sealed class VectorEvent
{
    public required string Type { get; init; }

    /// <summary>A localpart on example.org, or a whole user id.</summary>
    public string Sender { get; init; } = "alice";
    public string? StateKey { get; init; }
    public JsonElement Content { get; init; }
    public string? Redacts { get; init; }
    public string? RoomId { get; init; }

    /// <summary>Was it rejected? Only looked at among auth events.</summary>
    public bool Rejected { get; init; }

    /// <summary>"create" for the create event, "other" for any other one, "none".</summary>
    public string Prev { get; init; } = "other";

    public Pdu Build(TestRoom room)
    {
        var sender = UserId.Parse(Sender.StartsWith('@') ? Sender : $"@{Sender}:example.org");
        return new PduBuilder
        {
            Type = Type,
            StateKey = StateKey,
            Sender = sender,
            RoomId = RoomId is null ? Type == EventTypes.Create && room.Rules.RoomIdIsCreateHash ? null : room.RoomId : Protocol.RoomId.Parse(RoomId),
            Content = Encoding.UTF8.GetBytes(Content.GetRawText()),
            Depth = 2,
            PrevEvents = Prev switch { "none" => [], "create" => [room.Create.EventId], _ => [EventId.Parse("$other:example.org")] },
            Redacts = Redacts is null ? null : EventId.Parse(Redacts),
        }.Build(room.Rules, sender.Server, TestRoom.Key);
    }
}
