using System.Diagnostics;
using System.Globalization;
using Matrix.LocalStack;
using Npgsql;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>A real Synapse, from the folder that MATRIX_TEST_PEER names (tests/README.md).</summary>
public sealed class SynapsePeer : IAsyncDisposable
{
    /// <summary>Why a test is skipped where there is none.</summary>
    public const string Missing = "MATRIX_TEST_PEER names no Synapse (tests/README.md)";

    static readonly string? s_folder = Environment.GetEnvironmentVariable("MATRIX_TEST_PEER") is { Length: > 0 } folder ? folder : null;
    static int s_users;

    // readable by the account that its database runs under
    readonly string _data = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"matrix-peer-{Guid.NewGuid():N}")).FullName;

    readonly int _clients = FreePort.Find(1, 2, 3, 4, 5, 6, 7, 8), _federation = FreePort.Find(); // as its start.sh counts them
    readonly HttpClient _http;

    SynapsePeer() => _http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(60) };

    public static bool IsThere => s_folder is not null;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"localhost:{_federation}");

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_clients}"));

    /// <summary>Where its own database is, which it calls synapse.</summary>
    public string Database => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_clients + 1};Username=postgres;Database=synapse");

    /// <param name="proxy">Through which it reaches other servers; null: none.</param>
    public static async Task<SynapsePeer> Start(CertificateAuthority authority, string? proxy = null)
    {
        var peer = new SynapsePeer();
        try
        {
            await peer.Begin(authority, proxy);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public async Task<User> NewUser(string person = "user")
    {
        const string Password = "correct horse battery staple";
        var username = string.Create(CultureInfo.InvariantCulture, $"{person}-{Interlocked.Increment(ref s_users)}");
        var reply = (await new ApiClient(_http).Post("/_matrix/client/v3/register", new { username, password = Password, auth = new { type = "m.login.dummy" } })).Ok();
        return new User(_http, reply.String("user_id"), reply.String("device_id"), reply.String("access_token"), Password);
    }

    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(Database);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Run("bash", [Path.Combine(s_folder!, "stop.sh"), _data]);
        Directory.Delete(_data, recursive: true);
    }

    async Task Begin(CertificateAuthority authority, string? proxy)
    {
        // its background processes would keep the pipes of this call open
        await Run("bash", ["-c", "\"$0\" \"$@\" >\"$4/start.log\" 2>&1 </dev/null || { cat \"$4/start.log\"; exit 1; }", Path.Combine(s_folder!, "start.sh"), "peer",
            _clients.ToString(CultureInfo.InvariantCulture), _federation.ToString(CultureInfo.InvariantCulture), _data], start =>
        {
            start.Environment["PEER_CA_DIR"] = authority.Folder;
            start.Environment["BCRYPT_ROUNDS"] = "4";
            if (proxy is null)
                return;
            start.Environment["https_proxy"] = proxy;
            start.Environment["no_proxy"] = "";
        });
    }

    static async Task Run(string program, IReadOnlyList<string> arguments, Action<ProcessStartInfo>? configure = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        configure?.Invoke(start);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit {process.ExitCode}\n{output}\n{await error}");
    }
}
