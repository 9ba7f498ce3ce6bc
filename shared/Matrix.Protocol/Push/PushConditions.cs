using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Conditions of push rules, made into functions (C-S API, Conditions).</summary>
public static class PushConditions
{
    /// <summary>The kind of the condition that asks whether the user is subscribed to the event's thread (MSC4306).</summary>
    public const string ThreadSubscription = "io.element.msc4306.thread_subscription";

    static readonly Func<PushEvent, PushContext, bool> Never = (_, _) => false;

    internal static Func<PushEvent, PushContext, bool> Compile(IReadOnlyList<PushCondition> conditions)
    {
        var all = conditions.Select(Compile).ToArray();
        return (pushEvent, context) =>
        {
            foreach (var holds in all)
                if (!holds(pushEvent, context))
                    return false;
            return true;
        };
    }

    /// <summary>A glob over the whole text, or for the body over whole words; without regard to case.</summary>
    internal static Func<PushEvent, PushContext, bool> Match(string? key, string? pattern)
    {
        if (key is null || pattern is null)
            return Never;
        var glob = new Glob(pattern, ignoreCase: true);
        return key == "content.body"
            ? (pushEvent, _) => pushEvent.Lower(key) is { } text && glob.MatchesWordsPrepared(text)
            : (pushEvent, _) => pushEvent.Lower(key) is { } text && glob.MatchesPrepared(text);
    }

    static Func<PushEvent, PushContext, bool> Compile(PushCondition condition) => condition.Kind switch
    {
        "event_match" => Match(condition.Key, condition.Pattern),
        "event_property_is" => PropertyIs(condition.Key, Literal(condition.Value)),
        "event_property_contains" => PropertyContains(condition.Key, Literal(condition.Value)),
        "room_member_count" => MemberCount(condition.Is ?? ""),
        "sender_notification_permission" => NotificationPermission(condition.Key),
        "contains_display_name" => ContainsDisplayName,
        ThreadSubscription => Subscribed(condition),
        _ => Never,
    };

    static Func<PushEvent, PushContext, bool> PropertyIs(string? key, byte[]? value)
    {
        if (key is null || value is null)
            return Never;
        return (pushEvent, _) => Property(pushEvent, key) is var found && found.SequenceEqual(value);
    }

    static Func<PushEvent, PushContext, bool> PropertyContains(string? key, byte[]? value)
    {
        if (key is null || value is null)
            return Never;
        return (pushEvent, _) =>
        {
            var list = pushEvent.Value(key);
            if (list.IsEmpty || list[0] != '[')
                return false;
            var reader = new JsonArrayReader(list);
            while (reader.MoveNext())
                if (reader.Value.SequenceEqual(value))
                    return true;
            return false;
        };
    }

    static Func<PushEvent, PushContext, bool> MemberCount(string text)
    {
        var digits = text.AsSpan().TrimStart("=<>");
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return Never;
        return text[..^digits.Length] switch
        {
            "" or "==" => (_, context) => context.MemberCount == count,
            "<" => (_, context) => context.MemberCount < count,
            ">" => (_, context) => context.MemberCount > count,
            "<=" => (_, context) => context.MemberCount <= count,
            ">=" => (_, context) => context.MemberCount >= count,
            _ => Never,
        };
    }

    static Func<PushEvent, PushContext, bool> NotificationPermission(string? key) =>
        key is null ? Never : (pushEvent, context) => context.Levels.For(pushEvent.Pdu.Sender) >= context.Levels.Notification(key);

    static Func<PushEvent, PushContext, bool> Subscribed(PushCondition condition)
    {
        if (condition.Other?.TryGetValue("subscribed", out var wanted) != true || wanted.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            return Never;
        var subscribed = wanted.ValueKind == JsonValueKind.True;
        return (pushEvent, context) => context.IsSubscribed == subscribed && pushEvent.ThreadRoot is not null;
    }

    static bool ContainsDisplayName(PushEvent pushEvent, PushContext context) =>
        context.DisplayName is { Length: > 0 } name && pushEvent.Lower("content.body") is { } body
        && Glob.Literal(name, ignoreCase: true).MatchesWordsPrepared(body);

    /// <summary>The event id and, of a version 12 create event, the room id are not in the stored event.</summary>
    static ReadOnlySpan<byte> Property(PushEvent pushEvent, string key) =>
        key is "event_id" or "room_id" ? Encoding.UTF8.GetBytes($"\"{pushEvent.Text(key)}\"") : pushEvent.Value(key);

    /// <summary>A value that can be compared, in canonical form; null for objects, arrays and numbers that are not integers.</summary>
    static byte[]? Literal(JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Object or JsonValueKind.Array)
            return null;
        try
        {
            return CanonicalJson.Canonicalize(JsonMarshal.GetRawUtf8Value(value));
        }
        catch (InvalidJsonException)
        {
            return null;
        }
    }
}
