using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>
/// The homeserver that the tests talk to, shared by all of them: every test makes its own users and rooms. It is the all-in-one program in this
/// process on a fresh database, or, where the environment names one, a server that runs already (MATRIX_TEST_SERVER, its URL, and
/// MATRIX_TEST_SHARED_SECRET, its registration_shared_secret). A test that needs another configuration starts its own (<see cref="Start"/>).
/// </summary>
public sealed class MatrixServer : IAsyncLifetime
{
    const string OwnSecret = "the secret of the tests";
    static int s_users;
    readonly string _runId = Guid.NewGuid().ToString("N")[..8];
    readonly Action<Dictionary<string, string?>>? _configure;
    HttpClient _http = null!;
    HostedProgram? _program;
    TestDatabase? _database;
    string? _folder;
    string _sharedSecret = OwnSecret;

    public MatrixServer()
    {
    }

    MatrixServer(Action<Dictionary<string, string?>> configure) => _configure = configure;

    /// <summary>The server's name, the part of its user ids after the colon.</summary>
    public string ServerName { get; private set; } = "test.example";

    public Uri BaseUrl => _http.BaseAddress!;

    /// <summary>Speaks to the server without a token.</summary>
    public ApiClient Anonymous => new(_http);

    /// <summary>Speaks to the server with the access token that a login, a registration or a refresh returned.</summary>
    public ApiClient As(Reply login) => new(_http, login.String("access_token"));

    /// <summary>Speaks to this server with the token of a user who may have got it from another replica.</summary>
    public ApiClient As(User user) => new(_http, user.AccessToken);

    /// <summary>The services of the program in this process; fails where the server runs elsewhere.</summary>
    public IServiceProvider Services => _program?.Host.Services ?? throw new InvalidOperationException("The server runs outside this process.");

    /// <summary>A second server of its own configuration and database; keys are those of homeserver.yaml with ':' for nesting.</summary>
    public static async Task<MatrixServer> Start(Action<Dictionary<string, string?>> configure)
    {
        var server = new MatrixServer(configure);
        await server.InitializeAsync();
        return server;
    }

    /// <summary>The same device, speaking to this server: for servers that share a database.</summary>
    public User Here(User user) => new(_http, user.UserId, user.DeviceId, user.AccessToken!, user.Password);

    /// <summary>A new account, registered with the shared secret and logged in.</summary>
    public async Task<User> NewUser(string? localpart = null, bool admin = false)
    {
        localpart ??= $"user{Interlocked.Increment(ref s_users)}-{_runId}";
        const string Password = "correct horse battery staple";
        var nonce = (await Anonymous.Get("/_synapse/admin/v1/register")).Ok().String("nonce");
        var message = string.Join('\0', nonce, localpart, Password, admin ? "admin" : "notadmin");
#pragma warning disable CA5350 // the protocol of this endpoint is HMAC-SHA1
        var mac = Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(_sharedSecret), Encoding.UTF8.GetBytes(message)));
#pragma warning restore CA5350
        var reply = (await Anonymous.Post("/_synapse/admin/v1/register", new { nonce, username = localpart, password = Password, admin, mac })).Ok();
        return new User(_http, reply.String("user_id"), reply.String("device_id"), reply.String("access_token"), Password);
    }

    /// <summary>A user and a private room of theirs.</summary>
    public async Task<(User User, string Room)> UserInRoom()
    {
        var user = await NewUser();
        return (user, await user.CreateRoom());
    }

    /// <summary>Two users in a private room: the first made it and invited the second.</summary>
    public async Task<(User First, User Second, string Room)> TwoUsersInRoom()
    {
        var (alice, room) = await UserInRoom();
        var bob = await NewUser();
        await alice.Invite(room, bob);
        await bob.Join(room);
        return (alice, bob, room);
    }

    public async ValueTask InitializeAsync()
    {
        var address = Environment.GetEnvironmentVariable("MATRIX_TEST_SERVER") is { Length: > 0 } running && _configure == null
            ? UseRunning(running)
            : await StartProgram();
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 200 })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (_program == null)
        {
            var probe = await NewUser($"probe-{_runId}");
            ServerName = probe.UserId[(probe.UserId.IndexOf(':', StringComparison.Ordinal) + 1)..];
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_program != null)
        {
            await _program.DisposeAsync();
        }
        if (_database != null)
        {
            await _database.DisposeAsync();
        }
        if (_folder != null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    Uri UseRunning(string address)
    {
        _sharedSecret = Environment.GetEnvironmentVariable("MATRIX_TEST_SHARED_SECRET")
            ?? throw new InvalidOperationException("MATRIX_TEST_SERVER is set, MATRIX_TEST_SHARED_SECRET is not.");
        return new Uri(address);
    }

    async Task<Uri> StartProgram()
    {
        _database = await TestDatabase.Create();
        _folder = Directory.CreateTempSubdirectory("matrix-test-").FullName;
        var configuration = Configuration(new NpgsqlConnectionStringBuilder(_database.ConnectionString), _folder);
        _configure?.Invoke(configuration);
        ServerName = configuration["server_name"]!;
        var file = Path.Combine(_folder, "homeserver.yaml");
        await File.WriteAllLinesAsync(file, configuration.Where(key => key.Value != null).Select(key => $"\"{key.Key}\": {JsonSerializer.Serialize(key.Value)}"));
        _program = await HostedProgram.Start(Assembly.Load("Matrix.AllInOne"), "--config-path", file);
        return _program.Address;
    }

    Dictionary<string, string?> Configuration(NpgsqlConnectionStringBuilder database, string folder)
    {
        var signingKey = Path.Combine(folder, "signing.key");
        File.WriteAllText(signingKey, $"ed25519 a_test {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=')}\n");
        var configuration = new Dictionary<string, string?>
        {
            ["server_name"] = ServerName,
            ["listen"] = "http://127.0.0.1:0",
            ["database:args:host"] = database.Host,
            ["database:args:port"] = database.Port.ToString(CultureInfo.InvariantCulture),
            ["database:args:user"] = database.Username,
            ["database:args:password"] = database.Password,
            ["database:args:database"] = database.Database,
            ["database:args:cp_max"] = "20",
            ["signing_key_path"] = signingKey,
            ["media_store_path"] = Path.Combine(folder, "media"),
            ["registration_shared_secret"] = OwnSecret,
            ["enable_registration"] = "true",
            ["enable_registration_without_verification"] = "true",
            ["allow_guest_access"] = "true",
            ["bcrypt_rounds"] = "4",
            // a machine that is busy with other tests is not overloaded by this one
            ["overload:always_admitted"] = "2000",
        };
        // the tests of all areas share a server and an address: limits are for the tests that ask for them
        foreach (var kind in new[] { "rc_message", "rc_registration", "rc_registration_token_validity", "rc_login:address", "rc_login:account",
            "rc_login:failed_attempts", "rc_joins:local",
            "rc_joins:remote", "rc_invites:per_room", "rc_invites:per_user", "rc_invites:per_issuer", "rc_reports", "rc_delayed_event_mgmt", "rc_rendezvous" })
        {
            configuration[$"{kind}:per_second"] = "10000";
            configuration[$"{kind}:burst_count"] = "10000";
        }
        return configuration;
    }
}
