using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Which events of rooms pass (C-S API, RoomEventFilter).</summary>
public sealed record RoomEventFilter : EventFilter
{
    /// <summary>The filter that lets everything through.</summary>
    public static new RoomEventFilter Default { get; } = new();

    /// <summary>Only these rooms; null for all.</summary>
    public IReadOnlyList<RoomId>? Rooms { get; init; }

    /// <summary>None of these rooms.</summary>
    public IReadOnlyList<RoomId> NotRooms { get; init; } = [];

    /// <summary>Only events with a <c>url</c> in their content, or only those without; null for both.</summary>
    public bool? ContainsUrl { get; init; }

    /// <summary>Only the memberships of those whose events are shown (C-S API, Lazy-loading room members)?</summary>
    public bool LazyLoadMembers { get; init; }

    /// <summary>With memberships that were told before? Only of use with <see cref="LazyLoadMembers"/>.</summary>
    public bool IncludeRedundantMembers { get; init; }

    /// <summary>Unread counts of each thread apart from the room's (C-S API, Threaded read receipts)?</summary>
    public bool UnreadThreadNotifications { get; init; }

    /// <summary>Only events to which others have one of these relations; null for all. From MSC3440: only a server that knows the relations can tell.</summary>
    public IReadOnlyList<string>? RelatedByRelTypes { get; init; }

    /// <summary>Only events to which others by one of these users relate; null for all. See <see cref="RelatedByRelTypes"/>.</summary>
    public IReadOnlyList<UserId>? RelatedBySenders { get; init; }

    /// <summary>Does everything pass, whatever it is? As far as the event itself tells: relations to it are not looked at.</summary>
    public bool AllowsAll =>
        Types is null && NotTypes.Count == 0 && Senders is null && NotSenders.Count == 0 && Rooms is null && NotRooms.Count == 0
        && ContainsUrl is null;

    /// <summary>Is this room wanted?</summary>
    public bool Includes(RoomId room) => (Rooms is null || Rooms.Contains(room)) && !NotRooms.Contains(room);

    /// <summary>Does this event pass?</summary>
    public bool Matches(Pdu pdu) =>
        AllowsAll || (Matches(pdu.Type, pdu.Sender) && Includes(pdu.RoomId)
            && AllowsContent(pdu.ContentJson.Span));

    /// <summary>Does an event with this content pass, as far as <see cref="ContainsUrl"/> goes?</summary>
    /// <param name="content">An object in canonical JSON, such as <see cref="Pdu.ContentJson"/>.</param>
    public bool AllowsContent(ReadOnlySpan<byte> content) =>
        ContainsUrl is not { } url || url == !JsonObjectReader.Find(content, "url"u8).IsEmpty;

    /// <summary>Reads the JSON of a room event filter, such as the <c>filter</c> parameter of <c>/messages</c>.</summary>
    /// <exception cref="InvalidJsonException">Not JSON, or a member has the wrong form.</exception>
    public static RoomEventFilter Parse(ReadOnlySpan<byte> json) => ReadFrom(FilterJson.Parse(json));

    internal static new RoomEventFilter ReadFrom(JsonElement json) => (RoomEventFilter)new RoomEventFilter
    {
        Rooms = FilterJson.Ids<RoomId>(json, "rooms"),
        NotRooms = FilterJson.Ids<RoomId>(json, "not_rooms") ?? [],
        ContainsUrl = FilterJson.Bool(json, "contains_url"),
        RelatedByRelTypes = FilterJson.Strings(json, "related_by_rel_types"),
        RelatedBySenders = FilterJson.Ids<UserId>(json, "related_by_senders"),
        LazyLoadMembers = FilterJson.Bool(json, "lazy_load_members") ?? false,
        IncludeRedundantMembers = FilterJson.Bool(json, "include_redundant_members") ?? false,
        UnreadThreadNotifications = FilterJson.Bool(json, "unread_thread_notifications") ?? false,
    }.Read(json);
}
