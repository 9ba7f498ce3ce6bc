using Matrix.Gateway;
using Matrix.Hosting;

return MatrixApp.Run(args, "gateway", builder => builder.AddGateway(), app => app.MapGateway());
