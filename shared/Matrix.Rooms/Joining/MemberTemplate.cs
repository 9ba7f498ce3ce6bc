using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation;
using Matrix.Protocol;

namespace Matrix.Rooms.Joining;

/// <summary>
/// What a server that is in a room answers to make_join, make_leave or make_knock: where a membership of one of our users would stand in the room. Of its
/// content only what names the user who vouches for the join is taken.
/// </summary>
sealed class MemberTemplate
{
    readonly JsonElement template;

    MemberTemplate(RoomVersionRules rules, JsonElement template) => (Rules, this.template) = (rules, template);

    public RoomVersionRules Rules { get; }

    /// <summary>Null: it is not what was asked for (Server-Server API, Joining Rooms: it must be treated as malformed).</summary>
    public static MemberTemplate? Read(JsonElement answer, RoomId roomId, UserId user, string membership)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("event", out var template) || template.ValueKind != JsonValueKind.Object)
            return null;
        var rules = RoomVersions.Find(Text(answer, "room_version") ?? "1");
        return rules is not null && Text(template, "type") == EventTypes.Member && Text(template, "room_id") == roomId.ToString()
            && Text(template, "sender") == user.ToString() && Text(template, "state_key") == user.ToString()
            && template.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.Object && Text(content, "membership") == membership
            && Has(template, "prev_events") && Has(template, "auth_events")
            ? new MemberTemplate(rules, template) : null;
    }

    /// <exception cref="InvalidEventException">The template makes no event of the room's version.</exception>
    public Pdu Build(RoomId roomId, UserId user, JsonObject content, ServerSigningKey own, TimeProvider time)
    {
        if (Text(template.GetProperty("content"), "join_authorised_via_users_server") is { } authoriser)
            content["join_authorised_via_users_server"] = authoriser;
        var hashes = new Dictionary<EventId, string>();
        return new PduBuilder
        {
            Type = EventTypes.Member,
            StateKey = user.ToString(),
            Sender = user,
            RoomId = roomId,
            Content = JsonSerializer.SerializeToUtf8Bytes(content),
            PrevEvents = References("prev_events", hashes),
            AuthEvents = References("auth_events", hashes),
            Depth = template.TryGetProperty("depth", out var depth) && depth.ValueKind == JsonValueKind.Number && depth.TryGetInt64(out var value) && value > 0 ? value : 1,
            OriginServerTs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            ReferenceHashes = hashes,
        }.Build(Rules, own.ServerName, own.Key);
    }

    /// <summary>Event ids, or in versions 1 and 2 pairs of an id and its hash, which the event names too.</summary>
    List<EventId> References(string name, Dictionary<EventId, string> hashes)
    {
        var ids = new List<EventId>();
        foreach (var reference in template.GetProperty(name).EnumerateArray())
        {
            var isPair = reference.ValueKind == JsonValueKind.Array && reference.GetArrayLength() == 2;
            var text = isPair ? reference[0] : reference;
            if (text.ValueKind != JsonValueKind.String || !EventId.TryParse(text.GetString(), out var id))
                throw new InvalidEventException($"The template's {name} are no event ids.");
            ids.Add(id);
            if (isPair && reference[1].ValueKind == JsonValueKind.Object && Text(reference[1], "sha256") is { } hash)
                hashes[id] = hash;
        }
        return ids;
    }

    static bool Has(JsonElement template, string name) => template.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array;

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
