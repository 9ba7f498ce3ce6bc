using System.Net;
using Microsoft.AspNetCore.Http;

namespace Matrix.Hosting;

/// <summary>
/// The caller's own address behind a proxy, from X-Forwarded-For. A service that only the gateway reaches believes it; the gateway and the
/// single process, which anybody reaches, only when <c>x_forwarded: true</c> says that a proxy of ours is in front of them.
/// </summary>
public sealed class ForwardedFor(ProxyOptions options, ServiceName service)
{
    const string Header = "X-Forwarded-For";

    public bool IsTrusted { get; } = !service.IsPublic || options.XForwarded;

    /// <summary>Takes the last address: the one that the nearest proxy, ours, has seen; what stands before it is the caller's own claim.</summary>
    internal static void Apply(HttpContext context)
    {
        var line = context.Request.Headers[Header].ToString();
        var last = line[(line.LastIndexOf(',') + 1)..].Trim();
        if (IPAddress.TryParse(last, out var address)) context.Connection.RemoteIpAddress = address;
    }
}

public sealed class ProxyOptions
{
    /// <summary>
    /// True: there is a proxy in front of the gateway that sets <c>X-Forwarded-For</c>, and people's addresses are taken from there. Without one it must be
    /// false, for anybody can write that header.
    /// </summary>
    public bool XForwarded { get; init; }
}
