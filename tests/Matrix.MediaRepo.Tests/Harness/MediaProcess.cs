using System.Diagnostics;
using System.Globalization;
using Matrix.LocalStack;

namespace Matrix.MediaRepo.Tests;

/// <summary>The service as a process of its own, beside a server that has the accounts: to see what it needs.</summary>
sealed class MediaProcess : IAsyncDisposable
{
    readonly Process _process;

    MediaProcess(Process process, Uri address) => (_process, Http) = (process, new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) });

    public HttpClient Http { get; }

    /// <summary>The most memory that was resident until now, in bytes.</summary>
    public long Peak => Status("VmHWM");

    /// <param name="settings">Of its configuration, above what the server's file says.</param>
    public static async Task<MediaProcess> Start(MediaServers servers, params (string Key, string Value)[] settings)
    {
        var port = FreePort.Find();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Matrix.MediaRepo.dll"), "--config-path",
            Path.Combine(Path.GetDirectoryName(servers.Folder)!, "homeserver.yaml")]) { RedirectStandardOutput = true };
        var address = new Uri($"http://127.0.0.1:{port}");
        foreach (var (key, value) in settings.Append(("listen", address.GetLeftPart(UriPartial.Authority))))
            start.Environment[$"MATRIX__{key.Replace(":", "__", StringComparison.Ordinal)}"] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var media = new MediaProcess(process, address);
        for (var began = Stopwatch.GetTimestamp(); !await media.IsReady(); await Task.Delay(20))
            Assert.True(!process.HasExited && Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(3), "It did not start.");
        return media;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    async Task<bool> IsReady()
    {
        try
        {
            return (await Http.GetAsync("/health/ready")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    long Status(string name)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(name.Length + 1).Trim(" \tkB"), CultureInfo.InvariantCulture);
    }
}
