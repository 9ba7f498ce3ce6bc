using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Unread;

/// <summary>The push rules of a user who has changed some.</summary>
public sealed class UserPushRules
{
    readonly PushRuleset forNobody;
    readonly Lazy<PushRules> own;

    UserPushRules(UserId user, PushRuleset stored, int length)
    {
        // what is compiled of a rule weighs several times its text
        Weight = 4000 + 8L * length;
        forNobody = PushRuleset.Compose(PushClass.Nobody, stored);
        own = new Lazy<PushRules>(() => PushRules.Compile(PushRuleset.Compose(user, stored), user));
    }

    /// <summary>Bytes of memory, roughly.</summary>
    public long Weight { get; }

    /// <param name="content">The account data <c>m.push_rules</c>.</param>
    /// <returns>Null: nothing in it that can be understood, so the ordinary rules hold.</returns>
    public static UserPushRules? Read(UserId user, string content)
    {
        try
        {
            return JsonElement.Parse(content).TryGetProperty("global", out var global)
                ? new UserPushRules(user, PushRuleset.Parse(JsonMarshal.GetRawUtf8Value(global)), content.Length) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidJsonException)
        {
            return null;
        }
    }

    /// <summary>How the rules work in a room when an event does not name the user.</summary>
    public PushClass In(RoomId room) => PushClass.Of(forNobody, room);

    public Notice Evaluate(PushEvent e, PushContext context) => PushClass.ToNotice(own.Value.Evaluate(e, context));
}
