using System.Text;

namespace Matrix.Protocol;

/// <summary>
/// An event as push rules look at it. One is made per event and used for all users of the room; what was looked up once is remembered.
/// Not safe for several threads at once.
/// </summary>
public sealed class PushEvent(Pdu pdu)
{
    readonly Dictionary<string, Range?> _found = [];
    readonly Dictionary<string, string?> _texts = [];
    readonly Dictionary<string, string?> _lowered = [];
    readonly Lazy<EventId?> _threadRoot = new(() => EventRelation.Read(pdu)?.ThreadRoot, LazyThreadSafetyMode.None);

    /// <summary>The event itself.</summary>
    public Pdu Pdu => pdu;

    /// <summary>The root of the thread that the event says it is in; null if it says nothing of one.</summary>
    public EventId? ThreadRoot => _threadRoot.Value;

    /// <summary>The text of a string property; null if it is missing or no string. <paramref name="path"/> has dots between names.</summary>
    internal string? Text(string path)
    {
        if (_texts.TryGetValue(path, out var text))
            return text;
        text = path switch
        {
            "type" => pdu.Type,
            "sender" => pdu.Sender.ToString(),
            "state_key" => pdu.StateKey,
            "room_id" => pdu.RoomId.ToString(),
            "event_id" => pdu.EventId.ToString(),
            _ => JsonText.ReadString(Value(path)),
        };
        return _texts[path] = text;
    }

    /// <summary>The text of a string property in lower case; null if it is missing or no string.</summary>
    internal string? Lower(string path)
    {
        if (!_lowered.TryGetValue(path, out var lower))
            _lowered[path] = lower = Text(path) is { } text ? Glob.Lower(text) : null;
        return lower;
    }

    /// <summary>A property as canonical JSON; empty if it is missing.</summary>
    internal ReadOnlySpan<byte> Value(string path)
    {
        if (!_found.TryGetValue(path, out var range))
            _found[path] = range = Find(path);
        return range is { } found ? pdu.Json.Span[found] : default;
    }

    Range? Find(string path)
    {
        var json = pdu.Json.Span;
        var (start, end) = (0, json.Length);
        foreach (var name in Split(path))
        {
            if (json[start] != '{')
                return null;
            var reader = new JsonObjectReader(json[start..end]);
            var found = false;
            while (!found && reader.MoveNext())
                found = JsonText.ReadName(reader.Name) == name;
            if (!found)
                return null;
            (start, end) = (start + reader.ValueStart, start + reader.ValueEnd);
        }
        return start..end;
    }

    /// <summary>Splits at dots; <c>\.</c> is a dot and <c>\\</c> a backslash in a name (Appendices, Dot-separated property paths).</summary>
    static List<string> Split(string path)
    {
        var (names, name) = (new List<string>(3), new StringBuilder());
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '.')
            {
                names.Add(name.ToString());
                name.Clear();
            }
            else if (path[i] == '\\' && i + 1 < path.Length && path[i + 1] is '.' or '\\')
                name.Append(path[++i]);
            else
                name.Append(path[i]);
        }
        names.Add(name.ToString());
        return names;
    }
}
