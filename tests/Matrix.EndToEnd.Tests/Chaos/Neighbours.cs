using System.Globalization;
using Matrix.LocalStack;
using Matrix.Testing;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>The server that has troubles, and another that has none: they trust one authority and may share rooms.</summary>
sealed class Neighbours : IAsyncDisposable
{
    readonly CertificateAuthority _authority = new();

    /// <summary>Two replicas of every service.</summary>
    public RunningServer Ours { get; private set; } = null!;

    /// <summary>All in one.</summary>
    public RunningServer Theirs { get; private set; } = null!;

    public static async Task<Neighbours> Start(IReadOnlyDictionary<string, string> settings, params string[] options)
    {
        var (ours, theirs) = (FreePort.Find(), FreePort.Find());
        var both = new Neighbours();
        try
        {
            both.Ours = await RunningServer.Start($"localhost:{ours}", both.Federating(settings), ["--tls-port", Text(ours), .. options]);
            both.Theirs = await RunningServer.Start($"localhost:{theirs}",
                both.Federating(new Dictionary<string, string> { ["MATRIX__tls_listen"] = $"https://127.0.0.1:{theirs}" }), "--all-in-one");
            return both;
        }
        catch
        {
            await both.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Theirs is not null) await Theirs.DisposeAsync();
        if (Ours is not null) await Ours.DisposeAsync();
        _authority.Dispose();
    }

    Dictionary<string, string> Federating(IReadOnlyDictionary<string, string> settings)
    {
        var (certificate, key) = _authority.IssueFiles("localhost", "127.0.0.1");
        return new Dictionary<string, string>(settings)
        {
            ["MATRIX__tls_certificate_path"] = certificate,
            ["MATRIX__tls_private_key_path"] = key,
            ["MATRIX__federation_custom_ca_list"] = _authority.File,
            ["MATRIX__federation__destination_min_retry_interval"] = "1s",
        };
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
