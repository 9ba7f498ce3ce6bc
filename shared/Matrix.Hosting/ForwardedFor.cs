using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Matrix.Hosting;

/// <summary>
/// The caller's own address behind a proxy, from X-Forwarded-For. A service that only the gateway reaches believes it; the gateway and the
/// single process, which anybody reaches, only when <c>x_forwarded: true</c> says that a proxy of ours is in front of them.
/// </summary>
public sealed class ForwardedFor(IConfiguration configuration, ServiceName service)
{
    const string Header = "X-Forwarded-For";

    public bool IsTrusted { get; } = !service.IsPublic || configuration.GetValue("x_forwarded", false);

    /// <summary>Takes the last address: the one that the nearest proxy, ours, has seen; what stands before it is the caller's own claim.</summary>
    internal static void Apply(HttpContext context)
    {
        var line = context.Request.Headers[Header].ToString();
        var last = line[(line.LastIndexOf(',') + 1)..].Trim();
        if (IPAddress.TryParse(last, out var address)) context.Connection.RemoteIpAddress = address;
    }
}
