using Matrix.ClientApi;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.Storage;

var builder = MatrixHost.CreateBuilder(args, "all-in-one");
builder.AddMatrixHttp();
builder.Services.AddStorage(builder.Configuration);
builder.AddClientApi();

var app = builder.Build();
app.UseMatrixHttp();
app.MapClientApi();
app.Run();
