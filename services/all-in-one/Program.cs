using Matrix.ClientApi;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "all-in-one");
builder.AddClientApi().AddReplicationInProcess();

var app = builder.Build();
app.UseMatrixHttp();
app.MapClientApi();
return app.RunMatrix();
