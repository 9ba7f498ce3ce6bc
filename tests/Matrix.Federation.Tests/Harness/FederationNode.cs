using System.Globalization;
using Matrix.Http;
using Matrix.LocalStack;
using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Matrix.Federation.Tests.Harness;

/// <summary>
/// What stands between a server and the others, without the server: clients, keys, and one signed endpoint. It sees the names that a test gives it,
/// and the time.
/// </summary>
public sealed class FederationNode : IAsyncDisposable
{
    readonly WebApplication _app;

    FederationNode(WebApplication app) => _app = app;

    public ServerName Name => Get<ServerSigningKey>().ServerName;

    public FederationClient Client => Get<FederationClient>();

    public Uri Address => new(_app.Urls.First());

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <param name="configuration">Beside what every node has: it trusts the authority, and may connect to 127.0.0.1 alone.</param>
    public static async Task<FederationNode> Start(TestDatabase database, CertificateAuthority authority, Dictionary<string, string?>? configuration = null,
        Names? names = null, TimeProvider? time = null)
    {
        var keyFile = Path.Combine(Path.GetDirectoryName(authority.File)!, $"{Guid.NewGuid():N}.key");
        await File.WriteAllTextAsync(keyFile, SigningKey.Generate("node").FormatFile());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MinRequestBodyDataRate = null); // which goes by the real time
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["server_name"] = string.Create(CultureInfo.InvariantCulture, $"localhost:{FreePort.Find()}"),
            ["signing_key_path"] = keyFile,
            ["federation_custom_ca_list"] = authority.File,
            ["ip_range_whitelist"] = "127.0.0.1",
            ["urls"] = "http://127.0.0.1:0",
        });
        builder.Configuration.AddInMemoryCollection(configuration ?? []);
        if (names != null)
            builder.Services.AddSingleton(names);
        if (time != null)
            builder.Services.AddSingleton(time);
        builder.Services.AddStorage(database.ConnectionString);
        builder.AddMatrixHttp();
        builder.Services.AddFederation(builder.Configuration);
        var app = builder.Build();
        app.UseMatrixHttp();
        app.MapPut("/signed/{name}", (Origin origin, string name, Body<Dictionary<string, object>> body) => new { origin = origin.Server, name, body.Value.Count });
        await app.StartAsync();
        return new FederationNode(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
