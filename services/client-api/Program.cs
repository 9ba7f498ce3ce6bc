using Matrix.ClientApi;

var builder = WebApplication.CreateBuilder(args);
builder.AddClientApi();
var app = builder.Build();
app.MapClientApi();
app.Run();
