using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Matrix.LocalStack;

/// <summary>
/// Finds TCP ports on 127.0.0.1 that nobody listens on. Who is to listen there often does so seconds later: until this process ends, no other process that
/// asks here is given the same one, so that several servers can be started side by side.
/// </summary>
public static class FreePort
{
    /// <summary>Below the range that Linux takes for outgoing connections, so that a kept port is not found busy for that.</summary>
    const int Lowest = 20_000, Highest = 32_000;

    static readonly string Folder = Path.Combine(Path.GetTempPath(), $"matrix-ports-{Environment.UserName}");
    static readonly Dictionary<int, FileStream> Reserved = [];

    /// <summary>A free port that is not in <paramref name="taken"/>, and is added to it.</summary>
    public static int Pick(ISet<int> taken)
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(Lowest, Highest);
            if (IsFree(port) && TryReserve(port, again: false) && taken.Add(port)) return port;
        }
    }

    /// <summary>A free port, for a program that also takes those at these distances above it.</summary>
    public static int Find(params ReadOnlySpan<int> distances)
    {
        while (true)
        {
            var port = Pick(new HashSet<int>());
            var free = true;
            foreach (var distance in distances)
                free = free && IsFree(port + distance) && TryReserve(port + distance, again: false);
            if (free) return port; // else those that were free stay reserved until this process ends: there are enough
        }
    }

    /// <summary>Is a port that this server had before still to be had?</summary>
    public static bool TryKeep(int port) => IsFree(port) && TryReserve(port, again: true);

    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>By an empty file that this process holds locked until it ends.</summary>
    static bool TryReserve(int port, bool again)
    {
        lock (Reserved)
        {
            if (Reserved.ContainsKey(port)) return again;
            try
            {
                Directory.CreateDirectory(Folder);
                Reserved[port] = new FileStream(Path.Combine(Folder, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
                return true;
            }
            catch (IOException)
            {
                return false; // another process has it
            }
        }
    }
}
