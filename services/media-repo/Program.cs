using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;

var builder = MatrixHost.CreateBuilder(args, "media-repo");
builder.AddMediaRepo();

var app = builder.Build();
app.UseMatrixHttp();
app.MapMediaRepo();
return app.RunMatrix();
