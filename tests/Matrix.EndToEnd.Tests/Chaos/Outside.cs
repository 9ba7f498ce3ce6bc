using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Matrix.LocalStack;
using Matrix.Testing;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>RabbitMQ and Redis beside the server, behind proxies that can cut them off for as long as a test likes.</summary>
sealed class Outside : IAsyncDisposable
{
    readonly string _folder;
    readonly PrivateStack _stack;

    Outside(string folder, PrivateStack stack)
    {
        (_folder, _stack) = (folder, stack);
        RabbitMq = new TcpProxy(StackEndpoint.Host, stack.RabbitMq!.Port);
        Redis = new TcpProxy(StackEndpoint.Host, stack.Redis!.Port);
    }

    public TcpProxy RabbitMq { get; }

    public TcpProxy Redis { get; }

    /// <summary>What the server is told of them, as overrides of its configuration.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["MATRIX__rabbitmq__host"] = StackEndpoint.Host,
        ["MATRIX__rabbitmq__port"] = RabbitMq.Port.ToString(CultureInfo.InvariantCulture),
        ["MATRIX__rabbitmq__username"] = _stack.RabbitMq!.User,
        ["MATRIX__rabbitmq__password"] = _stack.RabbitMq.Password,
        ["MATRIX__redis__host"] = StackEndpoint.Host,
        ["MATRIX__redis__port"] = Redis.Port.ToString(CultureInfo.InvariantCulture),
        ["MATRIX__redis__password"] = _stack.Redis!.Password,
    };

    public static async Task<Outside> Start()
    {
        var folder = Directory.CreateTempSubdirectory("matrix-chaos-").FullName;
        return new Outside(folder, await PrivateStack.Start(new StackOptions { DataFolder = folder, Postgres = false }, TestContext.Current.CancellationToken));
    }

    public async Task EmptyRedis()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(StackEndpoint.Host, _stack.Redis!.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"AUTH {_stack.Redis.Password}\r\nFLUSHALL\r\nQUIT\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        Assert.Equal("+OK\r\n+OK\r\n+OK\r\n", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await RabbitMq.DisposeAsync();
        await Redis.DisposeAsync();
        await _stack.DisposeAsync();
        await PrivateStack.Remove(_folder, CancellationToken.None);
    }
}
