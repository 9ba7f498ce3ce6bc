using Matrix.Pusher;
using Matrix.Hosting;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "pusher");
builder.AddPusher().AddReplication(relaxed: true, called: true);

var app = builder.Build();
return app.RunMatrix();
