using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Matrix.Load;

/// <summary>
/// Servers that take whatever they are sent, thousands of them in a process of their own: they are addresses of this machine (127.1.x.y), which share a port. For each line on
/// its input it says how many transactions came so far, and how many milliseconds of processor time it took.
/// </summary>
static class ManyServers
{
    /// <param name="certificates">A folder with <c>x.pfx</c> for the servers 127.1.x.y.</param>
    public static async Task Run(string certificates, int port, CancellationToken ct)
    {
        var issued = Directory.GetFiles(certificates, "*.pfx").ToDictionary(
            file => byte.Parse(Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture), file => X509CertificateLoader.LoadPkcs12FromFile(file, null));
        var received = 0L;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, port, listen => listen.UseHttps(https =>
            https.ServerCertificateSelector = (connection, _) => issued[((IPEndPoint)connection!.LocalEndPoint!).Address.GetAddressBytes()[2]])));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            if (context.Request.Path.StartsWithSegments("/_matrix/federation/v1/send", StringComparison.Ordinal)) Interlocked.Increment(ref received);
            await context.Response.WriteAsync("{\"pdus\":{}}", context.RequestAborted);
        });
        await app.StartAsync(ct);
        await Console.Out.WriteLineAsync("ready".AsMemory(), ct);
        while (await Console.In.ReadLineAsync(ct) is not null)
        {
            var cpu = Process.GetCurrentProcess().TotalProcessorTime.TotalMilliseconds;
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Read(ref received)} {cpu:F0}").AsMemory(), ct);
        }
        await app.StopAsync(new CancellationToken(canceled: true));
    }
}
