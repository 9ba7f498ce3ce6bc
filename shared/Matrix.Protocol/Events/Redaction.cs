using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace Matrix.Protocol;

/// <summary>The redaction algorithm: what is left of an event (spec, Room Versions, Redactions).</summary>
public static class Redaction
{
    /// <summary>The event, in canonical form, with only the keys that its room version protects.</summary>
    /// <param name="json">An event in any form.</param>
    /// <exception cref="InvalidJsonException">Not an object, or against the room version's JSON rules.</exception>
    public static byte[] Redact(ReadOnlyMemory<byte> json, RoomVersionRules rules)
    {
        var canonical = CanonicalJson.Canonicalize(json.Span, rules.Json);
        if (canonical[0] != '{')
            throw new InvalidJsonException("An event is an object.");
        return RedactCanonical(canonical, rules.Redaction);
    }

    /// <summary>What signatures and the reference hash cover: the redacted event without <c>signatures</c> and <c>unsigned</c>.</summary>
    internal static byte[] Essentials(ReadOnlySpan<byte> canonical, RedactionRules rules) =>
        RedactCanonical(canonical, rules, keepSignatures: false);

    internal static byte[] RedactCanonical(ReadOnlySpan<byte> canonical, RedactionRules rules, bool keepSignatures = true)
    {
        var type = JsonText.ReadString(JsonObjectReader.Find(canonical, "type"u8));
        var output = new ArrayBufferWriter<byte>(canonical.Length);
        var first = true;
        output.Write("{"u8);
        var reader = new JsonObjectReader(canonical);
        while (reader.MoveNext())
        {
            if (!Contains(rules.Event, reader.Name) || (!keepSignatures && reader.Name.SequenceEqual("signatures"u8)))
                continue;
            if (reader.Name.SequenceEqual("content"u8))
            {
                JsonObjectEditor.WriteRaw(output, "\"content\":"u8, ref first);
                WriteContent(output, type, reader.Value, rules);
            }
            else
                JsonObjectEditor.WriteRaw(output, reader.Member, ref first);
        }
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    static void WriteContent(ArrayBufferWriter<byte> output, string? type, ReadOnlySpan<byte> content, RedactionRules rules)
    {
        if (content[0] != '{' || (rules.KeepsCreateContent && type == EventTypes.Create))
        {
            output.Write(content);
            return;
        }
        var keys = type is null ? null : rules.Content.GetValueOrDefault(type);
        var first = true;
        output.Write("{"u8);
        var reader = new JsonObjectReader(content);
        while (keys is not null && reader.MoveNext())
        {
            if (Contains(keys, reader.Name))
                JsonObjectEditor.WriteRaw(output, reader.Member, ref first);
            else if (rules.KeepsThirdPartySigned && type == EventTypes.Member
                && reader.Name.SequenceEqual("third_party_invite"u8) && reader.Value[0] == '{')
                WriteThirdPartyInvite(output, reader.Value, ref first);
        }
        output.Write("}"u8);
    }

    static void WriteThirdPartyInvite(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> invite, ref bool first)
    {
        var signed = JsonObjectReader.Find(invite, "signed"u8);
        JsonObjectEditor.WriteRaw(output, "\"third_party_invite\":{"u8, ref first);
        if (!signed.IsEmpty)
        {
            output.Write("\"signed\":"u8);
            output.Write(signed);
        }
        output.Write("}"u8);
    }

    static bool Contains(FrozenSet<string> keys, ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[40];
        return name.Length <= text.Length && Encoding.UTF8.TryGetChars(name, text, out var length)
            && keys.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text[..length]);
    }
}
