using Matrix.Gateway;
using Matrix.Hosting;

// before the first socket is made: GatewayModule.UseThreadsOfTheSockets says why
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

return MatrixApp.Run(args, "gateway", builder => builder.AddGateway(), app => app.MapGateway());
