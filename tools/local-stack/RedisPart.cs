using System.Net.Sockets;
using System.Text;

namespace Matrix.LocalStack;

/// <summary>A private Redis that keeps nothing on disk and little in memory.</summary>
sealed class RedisPart(PartContext context)
{
    public const string Name = "redis", User = "default";
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    public async Task<BackgroundProcess> Start(StackEndpoint endpoint, CancellationToken ct)
    {
        BackgroundProcess process;
        if (context.Programs.RedisServer is not { } server)
        {
            process = await context.StartContainer(Name, "redis:7-alpine", endpoint.Port, 6379, null, [],
                ["redis-server", "--requirepass", endpoint.Password, "--save", "", "--maxmemory", "128mb", "--hz", "1"], ct);
        }
        else
        {
            context.Options.Report(Name, "starting");
            var folder = context.Folder(Name);
            var settings = Path.Combine(folder, "redis.conf");
            Directory.CreateDirectory(folder);
            // a file, as the command line would show the password to every account
            AtomicFile.Write(settings, Encoding.UTF8.GetBytes(
                $"""
                bind 127.0.0.1
                port {endpoint.Port}
                requirepass {endpoint.Password}
                dir {folder}
                save ""
                appendonly no
                maxmemory 128mb
                maxmemory-policy volatile-lru
                hz 1

                """));
            await context.Account.Own(folder, ct);
            process = context.Start(Name, context.Account.Run([server, settings]), endpoint.Port);
        }
        await context.WaitUntil(Name, process, StartLimit, () => Answers(endpoint, ct), ct);
        return process;
    }

    static async Task<bool> Answers(StackEndpoint endpoint, CancellationToken ct)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(StackEndpoint.Host, endpoint.Port, ct);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"AUTH {endpoint.Password}\r\n"), ct);
            var reply = new byte[3];
            return await stream.ReadAtLeastAsync(reply, 3, throwOnEndOfStream: false, ct) == 3 && reply.AsSpan().SequenceEqual("+OK"u8);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
