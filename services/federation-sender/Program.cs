using Matrix.FederationSender;
using Matrix.Hosting;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "federation-sender");
builder.AddFederationSender().AddReplication(relaxed: true);

var app = builder.Build();
return app.RunMatrix();
