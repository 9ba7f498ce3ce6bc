using System.Net;
using System.Net.Sockets;

namespace Matrix.Federation;

/// <summary>
/// Which addresses may be connected to because somebody else named them. It is asked about the address that is connected to, never about a
/// name: a name may mean another address a moment later.
/// </summary>
public sealed class AddressRanges(IEnumerable<string> denied, IEnumerable<string> allowed)
{
    /// <summary>What is no public address: of this machine, of private networks, of documentation and multicast.</summary>
    public static IReadOnlyList<string> NotPublic { get; } =
    [
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "169.254.0.0/16", "192.88.99.0/24",
        "198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::1/128", "fe80::/10", "fc00::/7", "2001:db8::/32", "ff00::/8", "fec0::/10",
    ];

    readonly IPNetwork[] _denied = [.. denied.Select(Parse)];
    readonly IPNetwork[] _allowed = [.. allowed.Select(Parse)];

    /// <summary>May this address be connected to?</summary>
    public bool Allows(IPAddress address)
    {
        var plain = Plain(address);
        if (_allowed.Any(range => range.Contains(plain)))
            return true;
        // "any address" reaches this machine
        return !plain.Equals(IPAddress.Any) && !plain.Equals(IPAddress.IPv6Any) && !_denied.Any(range => range.Contains(plain));
    }

    public static bool TryParse(string text, out IPNetwork range)
    {
        if (!text.Contains('/', StringComparison.Ordinal) && IPAddress.TryParse(text, out var single))
            text += single.AddressFamily == AddressFamily.InterNetwork ? "/32" : "/128";
        return IPNetwork.TryParse(text, out range);
    }

    static IPNetwork Parse(string text) => TryParse(text, out var range) ? range : throw new FormatException($"'{text}' is not a range of addresses");

    /// <summary>The IPv4 address inside of mapped, 6to4 and NAT64 addresses, which reach the same machine.</summary>
    static IPAddress Plain(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        var bytes = address.GetAddressBytes().AsSpan();
        if (bytes is [0x20, 0x02, ..])
            return new IPAddress(bytes[2..6]);
        return bytes is [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ..] ? new IPAddress(bytes[12..]) : address;
    }
}
