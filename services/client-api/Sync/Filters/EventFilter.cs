using System.Text.Json;

namespace Matrix.ClientApi.Sync.Filters;

/// <summary>One compiled RoomEventFilter, which contains what an EventFilter can say (Client-Server API, "Filtering").</summary>
sealed class EventFilter
{
    public static readonly EventFilter Everything = new();

    /// <summary>What a timeline holds when nothing is said, and the most that it holds at all.</summary>
    public const int DefaultLimit = 10;
    public const int MaxLimit = 500;

    Patterns? types;
    Patterns? notTypes;
    HashSet<string>? senders;
    HashSet<string>? notSenders;
    HashSet<string>? rooms;
    HashSet<string>? notRooms;
    bool? containsUrl;

    public int? Limit { get; private init; }

    public bool LazyLoadMembers { get; private init; }

    public bool IncludeRedundantMembers { get; private init; }

    /// <summary>True when it lets everything pass, so that nobody needs to look at each event.</summary>
    public bool PassesAll => types is null && notTypes is null && senders is null && notSenders is null && rooms is null && notRooms is null
        && containsUrl is null;

    /// <summary>True when nothing can pass.</summary>
    public bool PassesNone => Limit == 0 || types is { IsEmpty: true } || senders is { Count: 0 } || rooms is { Count: 0 }
        || notTypes is { MatchesAll: true };

    public static EventFilter Parse(JsonElement json)
    {
        var filter = new FilterReader(json);
        return new EventFilter
        {
            types = Patterns.Of(filter.Strings("types")),
            notTypes = Patterns.Of(filter.Strings("not_types")),
            senders = filter.Strings("senders")?.ToHashSet(StringComparer.Ordinal),
            notSenders = filter.Strings("not_senders")?.ToHashSet(StringComparer.Ordinal),
            rooms = filter.Strings("rooms")?.ToHashSet(StringComparer.Ordinal),
            notRooms = filter.Strings("not_rooms")?.ToHashSet(StringComparer.Ordinal),
            containsUrl = filter.Boolean("contains_url"),
            Limit = filter.Limit("limit"),
            LazyLoadMembers = filter.Boolean("lazy_load_members") ?? false,
            IncludeRedundantMembers = filter.Boolean("include_redundant_members") ?? false,
        };
    }

    public bool PassesRoom(string roomId) => rooms?.Contains(roomId) != false && notRooms?.Contains(roomId) != true;

    public bool PassesType(string type) => types?.Match(type) != false && notTypes?.Match(type) != true;

    public bool PassesSender(string sender) => senders?.Contains(sender) != false && notSenders?.Contains(sender) != true;

    /// <summary>Looks at everything but the room.</summary>
    public bool Passes(EncodedEvent e) =>
        PassesType(e.Type) && PassesSender(e.Sender) && (containsUrl is null || containsUrl == HasUrl(e.Content.Span));

    static bool HasUrl(ReadOnlySpan<byte> content)
    {
        var reader = new Utf8JsonReader(content);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("url"u8))
                return true;
            reader.Skip();
        }
        return false;
    }

    /// <summary>Event types, in which <c>*</c> stands for any sequence of characters.</summary>
    sealed class Patterns(HashSet<string> exact, IReadOnlyList<string> wild)
    {
        public static Patterns? Of(IReadOnlyList<string>? patterns) => patterns is null
            ? null
            : new Patterns(patterns.Where(p => !p.Contains('*')).ToHashSet(StringComparer.Ordinal), [.. patterns.Where(p => p.Contains('*'))]);

        public bool IsEmpty => exact.Count == 0 && wild.Count == 0;

        public bool MatchesAll => wild.Contains("*");

        public bool Match(string type) => exact.Contains(type) || wild.Any(pattern => Wildcard.Match(pattern, type));
    }
}
