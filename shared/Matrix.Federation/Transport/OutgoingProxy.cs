using System.Net;

namespace Matrix.Federation;

/// <summary>The proxy that stands between us and the others, and who is asked without it.</summary>
sealed class OutgoingProxy : IWebProxy
{
    readonly Uri _address;
    readonly IReadOnlyList<string> _without;

    OutgoingProxy(Uri address, IReadOnlyList<string> without)
    {
        (_address, _without) = (address, without);
        var login = address.UserInfo.Split(':', 2);
        if (address.UserInfo.Length > 0)
            Credentials = new NetworkCredential(Uri.UnescapeDataString(login[0]), Uri.UnescapeDataString(login.ElementAtOrDefault(1) ?? ""));
    }

    public ICredentials? Credentials { get; set; }

    public static OutgoingProxy? Create(FederationOptions options) =>
        options.HttpsProxy is { } proxy ? new OutgoingProxy(new Uri(proxy), options.NoProxyHosts) : null;

    public Uri GetProxy(Uri destination) => _address;

    public bool IsBypassed(Uri host) => _without.Any(pattern => Fits(pattern, host.Host.Trim('[', ']')));

    /// <summary>Is this the proxy itself, which may well have a private address?</summary>
    public bool Is(DnsEndPoint endpoint) => endpoint.Port == _address.Port && endpoint.Host.Equals(_address.Host, StringComparison.OrdinalIgnoreCase);

    static bool Fits(string pattern, string host)
    {
        if (IPAddress.TryParse(host, out var address))
            return AddressRanges.TryParse(pattern, out var range) && range.Contains(address);
        var suffix = pattern.TrimStart('*').TrimStart('.');
        return pattern == "*" || host.Equals(suffix, StringComparison.OrdinalIgnoreCase) || host.EndsWith($".{suffix}", StringComparison.OrdinalIgnoreCase);
    }
}
