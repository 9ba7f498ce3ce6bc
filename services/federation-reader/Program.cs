using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Replication;

return MatrixApp.Run(args, "federation-reader", builder => builder.AddFederationReader().AddReplication(relaxed: true), app =>
{
    app.UseMatrixHttp();
    app.MapFederationReader();
});
