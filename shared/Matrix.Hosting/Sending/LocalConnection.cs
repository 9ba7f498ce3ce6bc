using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Matrix.Hosting.Sending;

/// <summary>
/// Connections that do not leave the machine, as those between the gateway and the services often are. Where the machine's congestion control is BBR,
/// which paces what is sent by timers, 1 MB from one process to another costs twice the processor time; within a machine there is nothing to pace. Reno,
/// which every kernel has and lets everybody choose, sends at once.
/// </summary>
static class LocalConnection
{
    const int Tcp = 6, TcpCongestion = 13; // <linux/tcp.h>

    /// <summary>A listening socket, whose connections inherit: once a connection has been paced, it is to its end.</summary>
    public static Socket Listen(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (socket.LocalEndPoint is IPEndPoint { Address: var own } && IPAddress.IsLoopback(own)) SendAtOnce(socket);
        return socket;
    }

    /// <summary>A connection from this machine to an address that others reach too: saves what can be saved.</summary>
    public static void Accepted(Socket socket)
    {
        if (socket.RemoteEndPoint is IPEndPoint { Address: var peer } && IPAddress.IsLoopback(peer)) SendAtOnce(socket);
    }

    static void SendAtOnce(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            socket.SetRawSocketOption(Tcp, TcpCongestion, "reno"u8);
        }
        catch (SocketException)
        {
            // then it goes the slower way
        }
    }
}
