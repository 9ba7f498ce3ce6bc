using Matrix.ClientApi;
using Matrix.FederationReader;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "all-in-one");
builder.AddClientApi().AddFederationReader().AddMediaRepo().AddReplicationInProcess();

var app = builder.Build();
app.UseMatrixHttp();
app.MapClientApi();
app.MapFederationReader();
app.MapMediaRepo();
return app.RunMatrix();
