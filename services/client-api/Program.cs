using Matrix.ClientApi;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Replication;

return MatrixApp.Run(args, "client-api", builder => builder.AddClientApi().AddReplication(), app =>
{
    app.UseMatrixHttp();
    app.MapClientApi();
});
