using System.Net;
using Matrix.Gateway.Forwarding;
using Matrix.Gateway.Keeping;
using Matrix.Hosting.Configuration;
using Matrix.Hosting.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Matrix.Gateway;

/// <summary>Knows routes, health, draining and affinity; nothing of Matrix.</summary>
public static class GatewayModule
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddMatrixOptions<GatewayOptions>("gateway");
        builder.Services.AddMatrixOptions<GatewayListenOptions>();
        builder.AddTls();
        builder.Services.Configure<SocketTransportOptions>(UseThreadsOfTheSockets);
        builder.Services.AddSingleton<GatewayMetrics>();
        builder.Services.AddSingleton<ArrivalQueue>();
        builder.Services.AddSingleton<KeptBodies>().AddSingleton<KeptQuestions>();
        builder.Services.AddSingleton<ProxyConfiguration>();
        builder.Services.AddSingleton<IProxyConfigProvider>(services =>
        {
            var proxy = services.GetRequiredService<ProxyConfiguration>();
            proxy.Update(new Dictionary<string, IReadOnlyList<string>>());
            return proxy.Provider;
        });
        builder.Services.AddHostedService<ClustersFile>();
        builder.Services.AddSingleton<ILoadBalancingPolicy, RendezvousPolicy>();
        builder.Services.AddSingleton<IPassiveHealthCheckPolicy, UnreachablePolicy>();
        builder.Services.AddSingleton<HostLookup>(Dns.GetHostAddressesAsync);
        builder.Services.AddReverseProxy()
            .AddTransforms(Transforms.Add)
            .ConfigureHttpClient((_, handler) =>
            {
                handler.ConnectTimeout = TimeSpan.FromSeconds(3);
                // shorter than a service keeps an idle connection, so that it is never the service that closes first
                handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60);
            });
        builder.Services.AddSingleton<IDestinationResolver, ReplicaResolver>(); // after YARP's own, which resolves nothing
        return builder;
    }

    /// <summary>
    /// A request passes through on the thread that its bytes arrive on, instead of waking a thread of the pool at each of six steps: what the
    /// gateway does never blocks and is over in microseconds, and waking took half of its processor time (ADR 0012).
    /// </summary>
    static void UseThreadsOfTheSockets(SocketTransportOptions sockets) => sockets.UnsafePreferInlineScheduling = true;

    public static WebApplication MapGateway(this WebApplication app)
    {
        app.UseMiddleware<GatewayErrors>();
        app.UseRouting();
        app.MapReverseProxy(proxy =>
        {
            proxy.UseMiddleware<RetryMiddleware>();
            proxy.UseLoadBalancing();
            proxy.UseMiddleware<AdmissionMiddleware>();
            proxy.UseMiddleware<KeepingMiddleware>();
            proxy.UsePassiveHealthChecks();
        });
        return app;
    }
}
