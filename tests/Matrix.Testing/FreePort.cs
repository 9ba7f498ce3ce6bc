using System.Net;
using System.Net.Sockets;

namespace Matrix.Testing;

/// <summary>
/// Ports for servers that must know theirs before they listen. They lie below those that the system gives to outgoing connections, so nobody takes
/// one in between by chance.
/// </summary>
public static class FreePort
{
    static int s_next = 10_000 + (Environment.ProcessId * 37 % 20_000);

    public static int Find()
    {
        while (true)
        {
            var port = 10_000 + (Interlocked.Increment(ref s_next) % 20_000);
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
