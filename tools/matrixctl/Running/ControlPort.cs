using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>
/// How another matrixctl asks a running one to restart or scale a service: one line <c>TOKEN restart SERVICE</c> or <c>TOKEN scale SERVICE=NUMBER</c> to a
/// loopback port; the answer is lines of progress and, last, <c>ok</c> or <c>failed: REASON</c>.
/// </summary>
sealed class ControlPort : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public ControlPort()
    {
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public int Port { get; }
    public string Token { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Answers requests, one after the other, until <paramref name="ct"/>.</summary>
    public async Task Serve(
        Func<string, Action<string>, CancellationToken, Task> restart, Func<string, int, Action<string>, CancellationToken, Task> scale, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(ct);
                await Answer(client, restart, scale, ct);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // the caller went away, or we stop
            }
        }
    }

    async Task Answer(TcpClient client, Func<string, Action<string>, CancellationToken, Task> restart,
        Func<string, int, Action<string>, CancellationToken, Task> scale, CancellationToken ct)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        var words = (await reader.ReadLineAsync(limit.Token) ?? "").Split(' ');
        if (words is not [var token, "restart" or "scale", var what]) return;
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(Token))) return;
        try
        {
            if (words[1] == "restart") await restart(what, line => writer.WriteLine(line), ct);
            else await scale(what.Split('=')[0], int.Parse(what.Split('=')[1], CultureInfo.InvariantCulture), line => writer.WriteLine(line), ct);
            await writer.WriteLineAsync("ok");
        }
        catch (Exception e) when (e is StackException or TimeoutException)
        {
            await writer.WriteLineAsync("failed: " + e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Asks the server of this state for a restart or a change of scale, and passes its progress on.</summary>
    public static async Task Request(ServerState server, string request, Action<string> progress, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.ControlPort, ct);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{server.ControlToken} {request}\n"), ct);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (line == "ok") return;
            if (line.StartsWith("failed: ", StringComparison.Ordinal)) throw new StackException(line["failed: ".Length..]);
            progress(line);
        }
        throw new StackException("The server stopped before that was complete.");
    }

    public void Dispose() => listener.Dispose();
}
