using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>
/// How a server signs its requests: <c>Authorization: X-Matrix origin="…",destination="…",key="…",sig="…"</c> (Server-Server API, Request
/// Authentication).
/// </summary>
public sealed record XMatrix(ServerName Origin, ServerName? Destination, KeyId Key, string Signature)
{
    public const string Scheme = "X-Matrix";

    /// <summary>The signature of a request.</summary>
    /// <param name="uri">Path and query as they are on the wire.</param>
    /// <param name="content">JSON, in any form.</param>
    public static XMatrix Sign(ServerName origin, SigningKey key, ServerName destination, string method, string uri, ReadOnlyMemory<byte>? content) =>
        new(origin, destination, key.KeyId, JsonSignatures.Signature(SignedBytes(origin, destination, method, uri, content), key));

    /// <summary>Did the owner of this key sign this request?</summary>
    /// <exception cref="InvalidJsonException">The content has no canonical form.</exception>
    /// <exception cref="JsonException">The content is not JSON.</exception>
    public bool Verify(VerifyKey key, string method, string uri, ReadOnlyMemory<byte>? content) =>
        JsonSignatures.Verify(SignedBytes(Origin, Destination, method, uri, content), key, Signature);

    public override string ToString() =>
        Destination is { } destination
            ? $"{Scheme} origin=\"{Origin}\",destination=\"{destination}\",key=\"{Key}\",sig=\"{Signature}\""
            : $"{Scheme} origin=\"{Origin}\",key=\"{Key}\",sig=\"{Signature}\"";

    /// <summary>Reads the value of an Authorization header (RFC 9110, 11.4): tokens or quoted strings, in any order.</summary>
    public static bool TryParse(string header, [NotNullWhen(true)] out XMatrix? result)
    {
        result = null;
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || Parameters(header.AsSpan(Scheme.Length)) is not { } parameters)
            return false;
        ServerName? destination = null;
        if (parameters.TryGetValue("destination", out var text))
        {
            if (!ServerName.TryParse(text, out var name))
                return false;
            destination = name;
        }
        if (!ServerName.TryParse(parameters.GetValueOrDefault("origin"), out var origin) || !KeyId.TryParse(parameters.GetValueOrDefault("key"), out var key)
            || parameters.GetValueOrDefault("sig") is not { } signature)
            return false;
        result = new XMatrix(origin, destination, key, signature);
        return true;
    }

    static byte[] SignedBytes(ServerName origin, ServerName? destination, string method, string uri, ReadOnlyMemory<byte>? content)
    {
        var buffer = new ArrayBufferWriter<byte>((content?.Length ?? 0) + 512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("method", method);
        json.WriteString("uri", uri);
        json.WriteString("origin", origin.ToString());
        if (destination is { } name)
            json.WriteString("destination", name.ToString());
        if (content is { IsEmpty: false } body)
        {
            json.WritePropertyName("content");
            json.WriteRawValue(body.Span); // which also refuses what is not one value
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    static Dictionary<string, string>? Parameters(ReadOnlySpan<char> text)
    {
        var parameters = new Dictionary<string, string>(4, StringComparer.OrdinalIgnoreCase);
        while ((text = text.TrimStart(" \t,")).Length > 0)
        {
            var equals = text.IndexOf('=');
            if (equals <= 0)
                return null;
            var name = text[..equals].Trim(" \t").ToString();
            text = text[(equals + 1)..].TrimStart(" \t");
            if ((text.StartsWith('"') ? Quoted(ref text) : Token(ref text)) is not { } value || !parameters.TryAdd(name, value))
                return null;
        }
        return parameters;
    }

    // a token may not have a colon, and old servers write one all the same
    static string Token(ref ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAny(',', ' ');
        var token = (end < 0 ? text : text[..end]).ToString();
        text = end < 0 ? default : text[end..];
        return token;
    }

    static string? Quoted(ref ReadOnlySpan<char> text)
    {
        var value = new StringBuilder();
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                text = text[(i + 1)..];
                return value.ToString();
            }
            if (text[i] == '\\' && ++i == text.Length)
                break;
            value.Append(text[i]);
        }
        return null;
    }
}
