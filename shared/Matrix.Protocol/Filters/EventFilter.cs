using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Which events pass, by type and sender (C-S API, EventFilter).</summary>
public record EventFilter
{
    readonly TypeList? _types;
    readonly TypeList _notTypes = TypeList.Empty;

    /// <summary>The filter that lets everything through.</summary>
    public static EventFilter Default { get; } = new();

    /// <summary>How many events at most, as the client asks; null for the server's choice. Servers cap it.</summary>
    public int? Limit { get; init; }

    /// <summary>Only these types, <c>*</c> for any characters; null for all.</summary>
    public IReadOnlyList<string>? Types
    {
        get => _types?.Patterns;
        init => _types = value is null ? null : new TypeList(value);
    }

    /// <summary>None of these types.</summary>
    public IReadOnlyList<string> NotTypes
    {
        get => _notTypes.Patterns;
        init => _notTypes = new TypeList(value);
    }

    /// <summary>Only these senders; null for all.</summary>
    public IReadOnlyList<UserId>? Senders { get; init; }

    /// <summary>None of these senders.</summary>
    public IReadOnlyList<UserId> NotSenders { get; init; } = [];

    /// <summary>Can nothing pass, whatever it is?</summary>
    public bool IsEmpty => Types is { Count: 0 } || Senders is { Count: 0 } || _notTypes.Patterns.Contains("*");

    /// <summary>Does this type pass?</summary>
    public bool AllowsType(string type) => (_types is null || _types.Contains(type)) && !_notTypes.Contains(type);

    /// <summary>Does this sender pass?</summary>
    public bool AllowsSender(UserId sender) => (Senders is null || Senders.Contains(sender)) && !NotSenders.Contains(sender);

    /// <summary>Does an event of this type and sender pass?</summary>
    public bool Matches(string type, UserId sender) => AllowsType(type) && AllowsSender(sender);

    internal static EventFilter ReadFrom(JsonElement json) => new EventFilter().Read(json);

    /// <summary>This filter with the members that event filters and room event filters share.</summary>
    protected EventFilter Read(JsonElement json) => this with
    {
        Limit = FilterJson.Limit(json),
        Types = FilterJson.Strings(json, "types"),
        NotTypes = FilterJson.Strings(json, "not_types") ?? [],
        Senders = FilterJson.Ids<UserId>(json, "senders"),
        NotSenders = FilterJson.Ids<UserId>(json, "not_senders") ?? [],
    };

    sealed class TypeList(IReadOnlyList<string> patterns)
    {
        public static readonly TypeList Empty = new([]);

        readonly HashSet<string> _exact = [.. patterns.Where(pattern => !pattern.Contains('*'))];
        readonly Pattern[] _wildcards = [.. patterns.Where(pattern => pattern.Contains('*')).Select(pattern => new Pattern(pattern))];

        public IReadOnlyList<string> Patterns => patterns;

        public bool Contains(string type) => _exact.Contains(type) || Array.Exists(_wildcards, pattern => pattern.Matches(type));
    }

    /// <summary>In filters, unlike elsewhere, a question mark stands for itself.</summary>
    sealed class Pattern(string text)
    {
        readonly string[] _parts = text.Split('*');

        public bool Matches(string type)
        {
            if (!type.StartsWith(_parts[0], StringComparison.Ordinal))
                return false;
            var position = _parts[0].Length;
            for (var i = 1; i < _parts.Length - 1; i++)
            {
                var found = type.IndexOf(_parts[i], position, StringComparison.Ordinal);
                if (found < 0)
                    return false;
                position = found + _parts[i].Length;
            }
            return type.Length - position >= _parts[^1].Length && type.EndsWith(_parts[^1], StringComparison.Ordinal);
        }
    }
}
