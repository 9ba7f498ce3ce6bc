using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Matrix.Hosting.Configuration;

namespace Matrix.Hosting;

/// <summary>
/// Binds Kestrel to the addresses of the key <c>listen</c>: one, a comma-separated line, or a list of <c>http://host:port</c>.
/// Port 0 takes a free one. Read late, so that a test can set the key after the builder was made.
/// </summary>
public sealed class ListenAddresses(IConfiguration configuration) : IConfigureOptions<KestrelServerOptions>
{
    public const string Default = "http://127.0.0.1:8080";

    public void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        // room for a large key backup; media has its own limit
        options.Limits.MaxRequestBodySize = ByteSizes.Parse(configuration["max_request_body_size"] ?? "10M");
        foreach (var address in configuration.GetList("listen") is { Count: > 0 } list ? list : [Default]) Bind(options, address);
    }

    static void Bind(KestrelServerOptions options, string address)
    {
        if (!Uri.TryCreate(address.Replace("://*", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp)
            throw new ConfigurationException([new ConfigurationMistake("listen", $"'{address}' is not an address such as http://127.0.0.1:8080")]);
        if (uri.Host == "localhost") options.ListenLocalhost(uri.Port);
        else if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip)) options.Listen(ip, uri.Port);
        else options.ListenAnyIP(uri.Port);
    }
}
