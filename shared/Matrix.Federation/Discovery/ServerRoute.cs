using System.Globalization;
using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>Where a server is to be reached, and as whom it must prove itself (Server-Server API, Resolving server names).</summary>
/// <param name="HostHeader">For the Host header; its host is also for SNI, and what the certificate must be valid for.</param>
/// <param name="Targets">Hosts and ports to connect to, in the order in which they are to be tried.</param>
public sealed record ServerRoute(string HostHeader, IReadOnlyList<(string Host, int Port)> Targets)
{
    public const int DefaultPort = 8448;

    /// <summary>What a name says about itself: an address, or a host with a port; null where more must be asked.</summary>
    public static ServerRoute? Literal(ServerName server) =>
        server.IsIpLiteral || server.Port != null ? Plain(server) : null;

    /// <summary>The host itself, on the port of its name or the default one.</summary>
    public static ServerRoute Plain(ServerName server) => new(server.ToString(), [(server.Host, server.Port ?? DefaultPort)]);

    public Uri Uri(int target, string pathAndQuery)
    {
        var (host, port) = Targets[target];
        return new Uri(string.Create(CultureInfo.InvariantCulture, $"https://{host}:{port}{pathAndQuery}"), AsWritten);
    }

    // what is signed is what is sent: no normalisation of %2E and the like
    static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };
}
