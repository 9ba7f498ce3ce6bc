using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Replication;

var builder = MatrixHost.CreateBuilder(args, "media-repo");
builder.AddMediaRepo().AddLeasesAndLimits();

var app = builder.Build();
app.UseMatrixHttp();
app.MapMediaRepo();
return app.RunMatrix();
