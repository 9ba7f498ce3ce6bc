using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// How long bytes that have arrived wait until this process looks at them. Requests pass through on the threads that wait for sockets (GatewayModule), so that
/// they queue nowhere but in the kernel, where nobody counts them: a byte that is sent to oneself goes the way of all others, behind those that came before.
/// </summary>
sealed class ArrivalQueue(TimeProvider time) : IDisposable
{
    static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(10);
    readonly Lock _gate = new();
    readonly List<(Socket Near, Socket Far)> _pairs = [];
    readonly byte[] _byte = [0];
    Task<TimeSpan>? _measurement;
    long _measured;

    /// <summary>The longest of all threads that wait for sockets. Those who ask at about the same time share one measurement.</summary>
    public Task<TimeSpan> Measure()
    {
        lock (_gate)
        {
            if (_measurement is not { IsFaulted: false } || (_measurement.IsCompleted && time.GetElapsedTime(_measured) > Fresh)) _measurement = Longest();
            return _measurement;
        }
    }

    async Task<TimeSpan> Longest()
    {
        if (_pairs.Count == 0) Connect();
        var waits = await Task.WhenAll(_pairs.Select(pair => Once(pair.Near, pair.Far)));
        _measured = time.GetTimestamp();
        return waits.Max();
    }

    async Task<TimeSpan> Once(Socket near, Socket far)
    {
        var arrival = near.ReceiveAsync(new byte[1].AsMemory(), SocketFlags.None); // first: a byte that is already there would be taken without waiting
        var sent = Stopwatch.GetTimestamp();
        far.Send(_byte);
        await arrival;
        return Stopwatch.GetElapsedTime(sent);
    }

    // sockets are given to the threads in turn, one for each processor
    void Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        for (var i = 0; i < Math.Min(Environment.ProcessorCount, 16); i++)
        {
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            far.Connect(listener.LocalEndPoint!);
            var near = listener.Accept();
            if (!near.RemoteEndPoint!.Equals(far.LocalEndPoint)) throw new IOException("Somebody else has connected to it."); // the next one tries again
            _pairs.Add((near, far));
        }
    }

    public void Dispose()
    {
        foreach (var (near, far) in _pairs)
        {
            near.Dispose();
            far.Dispose();
        }
    }
}
