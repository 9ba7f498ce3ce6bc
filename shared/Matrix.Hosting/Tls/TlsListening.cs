using System.Net;
using System.Net.Security;
using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting.Tls;

public static class TlsModule
{
    /// <summary>Opens the addresses of <c>tls_listen</c>: for the process that faces the clients.</summary>
    public static WebApplicationBuilder AddTls(this WebApplicationBuilder builder)
    {
        builder.Services.AddMatrixOptions<TlsOptions>();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddSingleton<TlsCertificate>();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, TlsListening>();
        return builder;
    }
}

sealed class TlsListening(OptionsSection<TlsOptions> section, TlsCertificate certificate) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        if (section.Mistakes.Count > 0) return; // reported when the configuration is checked
        foreach (var address in section.Value.TlsListen.Select(TlsOptions.ParseAddress).OfType<Uri>())
        {
            var ip = IPAddress.TryParse(address.Host.Trim('[', ']'), out var parsed) ? parsed : IPAddress.IPv6Any;
            options.Listen(ip, address.Port, Encrypt);
        }

        foreach (var handle in section.Value.TlsListen.Select(ListenOptions.Inherited).OfType<ulong>()) options.ListenHandle(handle, Encrypt);
    }

    void Encrypt(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current() }),
    });
}
