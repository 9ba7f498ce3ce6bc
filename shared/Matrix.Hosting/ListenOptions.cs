using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using Matrix.Hosting.Configuration;
using Matrix.Hosting.Sending;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting;

/// <summary>Where the process listens, and how much it takes in one request.</summary>
public sealed class ListenOptions : IValidatableObject
{
    /// <summary>
    /// Where the process listens: <c>http://host:port</c>, one or several; <c>*</c> is every address, port 0 a free one. <c>fd:N</c> is a listening
    /// socket that the process was started with: connections wait in it while one process takes the place of another.
    /// </summary>
    public IReadOnlyList<string> Listen { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>The largest body of a request: room for a large key backup. Media has a limit of its own.</summary>
    [ByteSize, Range(65_536, 1L << 40)] public long MaxRequestBodySize { get; init; } = 10 << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        from address in Listen
        where Parse(address) is null && Inherited(address) is null
        select new ValidationResult($"'{address}' is not an address such as http://127.0.0.1:8080", [nameof(Listen)]);

    internal static ulong? Inherited(string address) =>
        address.StartsWith("fd:", StringComparison.Ordinal) && ulong.TryParse(address.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    internal static Uri? Parse(string address) =>
        Uri.TryCreate(address.Replace("://*", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp
            ? uri
            : null;
}

/// <summary>Runs while the host is built, before the configuration is checked: what is wrong is passed over here and reported there.</summary>
sealed class KestrelListening(OptionsSection<ListenOptions> section) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        var listen = section.Unchecked;
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = Math.Max(0, listen.MaxRequestBodySize);
        options.ConfigureEndpointDefaults(endpoint => endpoint.Use(SocketWriter.Attach)); // of all addresses below, and those of TLS
        foreach (var address in listen.Listen.Select(ListenOptions.Parse).OfType<Uri>()) Bind(options, address);
        foreach (var handle in listen.Listen.Select(ListenOptions.Inherited).OfType<ulong>()) options.ListenHandle(handle);
    }

    internal static void Bind(KestrelServerOptions options, Uri address)
    {
        if (address.Host == "localhost") options.ListenLocalhost(address.Port);
        else if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)) options.Listen(ip, address.Port);
        else options.ListenAnyIP(address.Port);
    }
}

static class Listening
{
    public static void AddListenAddresses(this WebApplicationBuilder builder)
    {
        builder.Services.AddMatrixOptions<ListenOptions>();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, KestrelListening>();
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = LocalConnection.Listen);
    }
}
