using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Matrix.LocalStack;

/// <summary>
/// A port that stays open while the process that serves it is replaced: connections that come meanwhile wait in it. The processes that are started with
/// it (<see cref="Launch.Inherits"/>) find it under its <see cref="Number"/>.
/// </summary>
public sealed partial class ListeningSocket : IDisposable
{
    const int SetFlags = 2, CloseOnExec = 1; // F_SETFD, FD_CLOEXEC
    const int Backlog = 1024;
    readonly Socket socket;

    ListeningSocket(Socket socket) => this.socket = socket;

    public int Number => (int)socket.Handle;

    /// <exception cref="SocketException">Somebody else listens there.</exception>
    public static ListeningSocket Open(string address, int port)
    {
        var ip = address is "*" or "0.0.0.0" ? IPAddress.Any : address == "localhost" ? IPAddress.Loopback : IPAddress.Parse(address.Trim('[', ']'));
        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(ip, port));
            socket.Listen(Backlog);
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether a program that is started now gets it.</summary>
    internal void SetInherited(bool isInherited)
    {
        if (Control(Number, SetFlags, isInherited ? 0 : CloseOnExec) < 0) throw new StackException("A socket cannot be handed on: " + Marshal.GetLastPInvokeErrorMessage());
    }

    public void Dispose() => socket.Dispose();

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);
}
