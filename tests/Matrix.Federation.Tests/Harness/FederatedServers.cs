using System.Globalization;
using Matrix.Federation.Tests.Harness;
using Matrix.LocalStack;
using Matrix.Testing;

[assembly: AssemblyFixture(typeof(FederatedServers))]

namespace Matrix.Federation.Tests.Harness;

/// <summary>
/// Two homeservers of ours in this process, each on its own database, that reach each other over TLS, by certificates of one private authority.
/// Tests share them: each makes its own users, rooms and, by <see cref="NewRemote"/>, its own other server.
/// </summary>
public sealed class FederatedServers : IAsyncLifetime
{
    /// <summary>So many may one user of the first server get.</summary>
    public const int InvitesOfOneUser = 20;

    public CertificateAuthority Authority { get; } = new();

    public MatrixServer First { get; private set; } = null!;

    public MatrixServer Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var both = await Task.WhenAll(Start(Public), Start(Patient));
        (First, Second) = (both[0], both[1]);
    }

    static void Public(Dictionary<string, string?> configuration)
    {
        configuration["allow_public_rooms_over_federation"] = "true";
        (configuration["rc_invites:per_user:per_second"], configuration["rc_invites:per_user:burst_count"]) = ("0.001", $"{InvitesOfOneUser}");
    }

    // asks for rooms without their members, and takes all the time to get them before anybody sees the room
    static void Patient(Dictionary<string, string?> configuration)
    {
        configuration["partial_joins:patience"] = "00:00:50";
    }

    /// <summary>One more server like them, for a test that needs its own configuration.</summary>
    public Task<MatrixServer> Start(Action<Dictionary<string, string?>>? configure = null) => MatrixServer.Start(configuration =>
    {
        Configure(configuration, FreePort.Find());
        configure?.Invoke(configuration);
    });

    /// <summary>A scripted homeserver of its own name and key, for one test.</summary>
    public Task<RemoteServer> NewRemote() => RemoteServer.Start(Authority);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(First.DisposeAsync().AsTask(), Second.DisposeAsync().AsTask());
        Authority.Dispose();
    }

    void Configure(Dictionary<string, string?> configuration, int port)
    {
        var (certificate, key) = Authority.IssueFiles("localhost", "127.0.0.1");
        configuration["server_name"] = string.Create(CultureInfo.InvariantCulture, $"localhost:{port}");
        configuration["tls_listen"] = string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}");
        configuration["tls_certificate_path"] = certificate;
        configuration["tls_private_key_path"] = key;
        configuration["federation_custom_ca_list"] = Authority.File;
        configuration["ip_range_whitelist"] = "127.0.0.0/8,::1/128";
        configuration["federation:destination_min_retry_interval"] = "200ms";
        configuration["federation_receiving:patience"] = "1m"; // what comes is here when it is answered, also where everything stood still meanwhile
    }
}
