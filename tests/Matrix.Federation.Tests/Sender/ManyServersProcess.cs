using System.Diagnostics;
using System.Globalization;
using System.Net;
using Matrix.Testing;

namespace Matrix.Federation.Tests.Sender;

/// <summary>Thousands of servers that take what they are sent, in another process (<c>matrix-load many-servers</c>).</summary>
sealed class ManyServersProcess : IAsyncDisposable
{
    static readonly string s_own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
    static readonly string s_program = Path.GetFullPath(Path.Combine(s_own, "..", "..", "Matrix.Load", Path.GetFileName(s_own), "matrix-load.dll"));

    readonly Process _process;

    ManyServersProcess(Process process) => _process = process;

    /// <param name="hosts">Addresses 127.1.x.y.</param>
    public static async Task<ManyServersProcess> Start(CertificateAuthority authority, string[] hosts, int port)
    {
        var folder = Directory.CreateDirectory(Path.Combine(authority.Folder, $"many-{port}")).FullName;
        // one certificate for all would be too long
        foreach (var some in hosts.GroupBy(host => IPAddress.Parse(host).GetAddressBytes()[2]))
        {
            using var certificate = authority.Issue([.. some]);
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{some.Key}.pfx"), certificate.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12));
        }
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { s_program, "many-servers", "--certificates", folder, "--port", port.ToString(CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(argument);
        var servers = new ManyServersProcess(Process.Start(start)!);
        Assert.Equal("ready", await servers._process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        return servers;
    }

    /// <summary>How many transactions came so far, and how many milliseconds of processor time it took.</summary>
    public async Task<(long Received, long Cpu)> Count()
    {
        await _process.StandardInput.WriteLineAsync("?".AsMemory(), TestContext.Current.CancellationToken);
        var line = await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        long[] counts = [.. line!.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
        return (counts[0], counts[1]);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close(); // it ends with its input
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }
        _process.Dispose();
    }
}
