using Matrix.ClientApi;
using Matrix.FederationReader;
using Matrix.FederationSender;
using Matrix.Hosting;
using Matrix.Hosting.Tls;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Pusher;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "all-in-one");
builder.AddTls();
builder.AddClientApi().AddFederationReader().AddFederationSender().AddMediaRepo().AddPusher().AddReplicationInProcess();

var app = builder.Build();
app.UseMatrixHttp();
app.MapClientApi();
app.MapFederationReader();
app.MapMediaRepo();
return app.RunMatrix();
