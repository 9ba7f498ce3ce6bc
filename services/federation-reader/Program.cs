using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "federation-reader");
builder.AddFederationReader().AddReplication(relaxed: true);

var app = builder.Build();
app.UseMatrixHttp();
app.MapFederationReader();
return app.RunMatrix();
