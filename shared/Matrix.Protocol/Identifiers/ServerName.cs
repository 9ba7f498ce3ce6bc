using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>A homeserver: host name, IPv4 or bracketed IPv6 address, with an optional port (Appendices, Server Name). Case matters.</summary>
[JsonConverter(typeof(IdentifierJsonConverter<ServerName>))]
public readonly record struct ServerName : IParsable<ServerName>, IComparable<ServerName>
{
    readonly string? _value;

    ServerName(string value) => _value = value;

    /// <summary>The part before the port; an IPv6 address keeps its brackets.</summary>
    public string Host => SplitPort(ToString(), out _).ToString();

    /// <summary>The explicit port, if there is one.</summary>
    public int? Port
    {
        get
        {
            SplitPort(ToString(), out var port);
            return port.IsEmpty ? null : int.Parse(port, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Is the host an address rather than a name? Server ACLs can refuse these.</summary>
    public bool IsIpLiteral => Host is var host && (host[0] == '[' || IsIpv4(host));

    /// <summary>For a name that was part of an identifier already checked.</summary>
    internal static ServerName Trusted(string value) => new(value);

    /// <exception cref="InvalidIdentifierException">The text breaks the grammar.</exception>
    public static ServerName Parse(string s, IFormatProvider? provider = null)
    {
        if (!TryParse(s, provider, out var result))
            Grammar.Refuse<ServerName>(s);
        return result;
    }

    /// <summary>Reads the wire form; false, and no value, if it breaks the grammar.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ServerName result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new ServerName(s!) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out ServerName)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out ServerName result) => TryParse(s, null, out result);

    /// <summary>Ordinal order of the wire form.</summary>
    public int CompareTo(ServerName other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form.</summary>
    public override string ToString() => Grammar.Text<ServerName>(_value);

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(ServerName left, ServerName right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(ServerName left, ServerName right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(ServerName left, ServerName right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(ServerName left, ServerName right) => left.CompareTo(right) >= 0;

    static readonly SearchValues<char> DnsCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.");

    static readonly SearchValues<char> Ipv6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");

    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > Grammar.MaxBytes)
            return false;
        var host = SplitPort(text, out var port);
        if (host.Length + (port.IsEmpty ? 0 : port.Length + 1) != text.Length || host.IsEmpty)
            return false;
        if (!port.IsEmpty && (port.Length > 5 || port.ContainsAnyExceptInRange('0', '9')
            || int.Parse(port, CultureInfo.InvariantCulture) > 65535))
            return false;
        if (host[0] != '[')
            return !host.ContainsAnyExcept(DnsCharacters);
        // The parser alone would also take scopes, and IPv4 addresses in brackets.
        return host.Length is > 3 and <= 47 && host[^1] == ']' && !host[1..^1].ContainsAnyExcept(Ipv6Characters)
            && IPAddress.TryParse(host[1..^1], out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    /// <summary>The host; the port's digits, if any, go to <paramref name="port"/>. "a:" has neither a port nor a valid host.</summary>
    static ReadOnlySpan<char> SplitPort(ReadOnlySpan<char> text, out ReadOnlySpan<char> port)
    {
        var colon = text[0] == '[' ? text.IndexOf(']') + 1 : text.IndexOf(':');
        var hasPort = colon > 0 && colon < text.Length - 1 && text[colon] == ':';
        port = hasPort ? text[(colon + 1)..] : default;
        return hasPort ? text[..colon] : text;
    }

    static bool IsIpv4(ReadOnlySpan<char> host)
    {
        Span<Range> parts = stackalloc Range[5];
        if (host.Split(parts, '.') != 4)
            return false;
        foreach (var part in parts[..4])
            if (!byte.TryParse(host[part], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return false;
        return true;
    }
}
