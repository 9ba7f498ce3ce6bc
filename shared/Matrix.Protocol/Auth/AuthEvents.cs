using System.Runtime.InteropServices;
using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Which state events give the sender permission to send an event (Server-Server API, Auth events selection).</summary>
public static class AuthEvents
{
    /// <summary>The places of the room state whose events, where there are any, belong into <c>auth_events</c>.</summary>
    /// <remarks>
    /// In version 12 <c>m.room.create</c> is not among them, yet the auth rules need it: ask <see cref="EventAuth.Check"/> with the create event.
    /// </remarks>
    /// <exception cref="InvalidJsonException">The content of a membership has no canonical form.</exception>
    public static IReadOnlyList<StateKeyPair> KeysFor(
        string type, string? stateKey, UserId sender, JsonElement content, RoomVersionRules rules)
    {
        if (type != EventTypes.Member || content.ValueKind != JsonValueKind.Object)
            return Select(type, stateKey, sender, rules, null, null, null);
        var json = CanonicalJson.Canonicalize(JsonMarshal.GetRawUtf8Value(content), JsonRules.Relaxed);
        return Select(type, stateKey, sender, rules, String(json, "membership"u8), ThirdPartyInvite.Read(json)?.Token,
            String(json, "join_authorised_via_users_server"u8));
    }

    /// <inheritdoc cref="KeysFor(string, string?, UserId, JsonElement, RoomVersionRules)"/>
    public static IReadOnlyList<StateKeyPair> KeysFor(Pdu pdu) =>
        pdu.Type == EventTypes.Member
            ? Select(pdu.Type, pdu.StateKey, pdu.Sender, pdu.Rules, pdu.Membership, ThirdPartyInvite.Read(pdu)?.Token,
                pdu.ContentString("join_authorised_via_users_server"u8))
            : Select(pdu.Type, pdu.StateKey, pdu.Sender, pdu.Rules, null, null, null);

    static List<StateKeyPair> Select(
        string type, string? stateKey, UserId sender, RoomVersionRules rules, string? membership, string? token, string? authoriser)
    {
        var keys = new List<StateKeyPair>(6);
        if (type == EventTypes.Create)
            return keys;
        if (!rules.RoomIdIsCreateHash)
            keys.Add(new(EventTypes.Create, ""));
        keys.Add(new(EventTypes.PowerLevels, ""));
        keys.Add(new(EventTypes.Member, sender.ToString()));
        if (type != EventTypes.Member)
            return keys;
        if (stateKey is not null && stateKey != sender.ToString())
            keys.Add(new(EventTypes.Member, stateKey));
        if (membership is "join" or "invite" or "knock")
            keys.Add(new(EventTypes.JoinRules, ""));
        if (membership is "invite" && token is not null)
            keys.Add(new(EventTypes.ThirdPartyInvite, token));
        if (membership is "join" && authoriser is not null && rules.HasRestrictedJoins)
        {
            var key = new StateKeyPair(EventTypes.Member, authoriser);
            if (!keys.Contains(key))
                keys.Add(key);
        }
        return keys;
    }

    static string? String(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) => JsonText.ReadString(JsonObjectReader.Find(json, name));
}
