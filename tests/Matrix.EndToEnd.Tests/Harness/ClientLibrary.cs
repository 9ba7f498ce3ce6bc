using System.Diagnostics;
using System.Security.Cryptography;

namespace Matrix.EndToEnd.Tests;

/// <summary>The client libraries that chat in these tests.</summary>
static class ClientLibrary
{
    /// <summary>matrix-js-sdk, which Element Web and Desktop are built on.</summary>
    public const string JsSdk = "matrix-js-sdk";

    /// <summary>matrix-nio, as Debian packages it (python3-matrix-nio).</summary>
    public const string Nio = "matrix-nio";

    public static TheoryData<string> All => [JsSdk, Nio];

    /// <summary>Where the js client lies beside its node_modules: installed once for each lock file, then kept beside the build output.</summary>
    public static Lazy<string> JsSdkFolder { get; } = new(InstallJsSdk);

    static string InstallJsSdk()
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Clients", "js-sdk");
        var lockFile = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(source, "package-lock.json"))))[..12];
        var folder = Path.Combine(Build.CacheFolder, $"js-sdk-{lockFile}");
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "package.json", "package-lock.json", ".npmrc", "client.mjs" })
        {
            File.Copy(Path.Combine(source, file), Path.Combine(folder, file), overwrite: true);
        }
        var complete = Path.Combine(folder, "node_modules", ".installed");
        if (!File.Exists(complete))
        {
            Run(new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-progress"]) { WorkingDirectory = folder });
            File.WriteAllText(complete, "");
        }
        return folder;
    }

    static void Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{start.FileName} {string.Join(' ', start.ArgumentList)} in {start.WorkingDirectory}: exit {process.ExitCode}\n{output}{error.Result}");
        }
    }
}
