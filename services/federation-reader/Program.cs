using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;

var builder = MatrixHost.CreateBuilder(args, "federation-reader");
builder.AddFederationReader();

var app = builder.Build();
app.UseMatrixHttp();
app.MapFederationReader();
return app.RunMatrix();
