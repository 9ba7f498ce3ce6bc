using System.Runtime.InteropServices;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>How a filter wants events to look.</summary>
public enum EventFormat
{
    /// <summary>The format of the Client-Server API.</summary>
    Client,
    /// <summary>As servers exchange them.</summary>
    Federation,
}

/// <summary>A client's filter, as made by <c>POST /user/{userId}/filter</c> or given to <c>/sync</c> (C-S API, Filtering).</summary>
public sealed record FilterDefinition
{
    /// <summary>The filter that lets everything through.</summary>
    public static FilterDefinition Default { get; } = new();

    /// <summary>Paths with dots of the fields wanted; null for all. A server may give more.</summary>
    public IReadOnlyList<string>? EventFields { get; init; }

    /// <summary>How the events of the answer look.</summary>
    public EventFormat EventFormat { get; init; }

    /// <summary>For presence.</summary>
    public EventFilter Presence { get; init; } = EventFilter.Default;

    /// <summary>For account data that belongs to no room.</summary>
    public EventFilter AccountData { get; init; } = EventFilter.Default;

    /// <summary>For everything that belongs to a room.</summary>
    public RoomFilter Room { get; init; } = RoomFilter.Default;

    /// <summary>Reads a whole filter.</summary>
    /// <exception cref="InvalidJsonException">Not JSON, or a member has the wrong form.</exception>
    public static FilterDefinition Parse(ReadOnlySpan<byte> json) => Read(FilterJson.Parse(json));

    /// <inheritdoc cref="Parse"/>
    public static FilterDefinition FromJson(JsonElement json) => Parse(JsonMarshal.GetRawUtf8Value(json));

    static FilterDefinition Read(JsonElement json) => new()
    {
        EventFields = FilterJson.Strings(json, "event_fields"),
        EventFormat = FilterJson.String(json, "event_format") switch
        {
            null or "client" => EventFormat.Client,
            "federation" => EventFormat.Federation,
            _ => throw new InvalidJsonException("'event_format' is neither 'client' nor 'federation'."),
        },
        Presence = FilterJson.Object(json, "presence") is { } presence ? EventFilter.ReadFrom(presence) : EventFilter.Default,
        AccountData = FilterJson.Object(json, "account_data") is { } accountData ? EventFilter.ReadFrom(accountData) : EventFilter.Default,
        Room = FilterJson.Object(json, "room") is { } room ? RoomFilter.FromJson(room) : RoomFilter.Default,
    };
}

/// <summary>The part of a filter about rooms.</summary>
public sealed record RoomFilter
{
    /// <summary>The filter that lets everything through.</summary>
    public static RoomFilter Default { get; } = new();

    /// <summary>Only these rooms; null for all.</summary>
    public IReadOnlyList<RoomId>? Rooms { get; init; }

    /// <summary>None of these rooms.</summary>
    public IReadOnlyList<RoomId> NotRooms { get; init; } = [];

    /// <summary>With the rooms that the user has left?</summary>
    public bool IncludeLeave { get; init; }

    /// <summary>For typing and receipts.</summary>
    public RoomEventFilter Ephemeral { get; init; } = RoomEventFilter.Default;

    /// <summary>For the state before the timeline.</summary>
    public RoomEventFilter State { get; init; } = RoomEventFilter.Default;

    /// <summary>For the timeline.</summary>
    public RoomEventFilter Timeline { get; init; } = RoomEventFilter.Default;

    /// <summary>For account data of the room.</summary>
    public RoomEventFilter AccountData { get; init; } = RoomEventFilter.Default;

    /// <summary>Is this room wanted at all?</summary>
    public bool Includes(RoomId room) => (Rooms is null || Rooms.Contains(room)) && !NotRooms.Contains(room);

    internal static RoomFilter FromJson(JsonElement json) => new()
    {
        Rooms = FilterJson.Ids<RoomId>(json, "rooms"),
        NotRooms = FilterJson.Ids<RoomId>(json, "not_rooms") ?? [],
        IncludeLeave = FilterJson.Bool(json, "include_leave") ?? false,
        Ephemeral = Part(json, "ephemeral"),
        State = Part(json, "state"),
        Timeline = Part(json, "timeline"),
        AccountData = Part(json, "account_data"),
    };

    static RoomEventFilter Part(JsonElement json, string name) =>
        FilterJson.Object(json, name) is { } part ? RoomEventFilter.ReadFrom(part) : RoomEventFilter.Default;
}
