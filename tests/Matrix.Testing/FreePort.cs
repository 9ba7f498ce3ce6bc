using System.Net;
using System.Net.Sockets;

namespace Matrix.Testing;

/// <summary>
/// Ports for servers that must know theirs before they listen. They lie below those that the system gives to outgoing connections, so nobody takes
/// one in between by chance, and below those that matrixctl takes for what it starts.
/// </summary>
public static class FreePort
{
    const int Lowest = 10_000, Count = 10_000;

    static int s_next = Lowest + (Environment.ProcessId * 37 % Count);

    public static int Find()
    {
        while (true)
        {
            var port = Lowest + (Interlocked.Increment(ref s_next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // taken
            }
        }
    }
}
