using System.Globalization;
using Matrix.LocalStack;

namespace Matrix.Testing;

/// <summary>Private instances for one test process, gone with it. What a killed process left is removed by the next one.</summary>
static class PrivateParts
{
    static readonly string Root = Path.Combine(Path.GetTempPath(), $"matrix-tests-{Environment.UserName}");

    public static async Task<string> Postgres() =>
        (await Start("postgres", new() { DataFolder = "", RabbitMq = false, Redis = false })).Postgres!.PostgresConnection("postgres");

    public static async Task<string> RabbitMq() =>
        (await Start("rabbitmq", new() { DataFolder = "", Postgres = false, Redis = false })).RabbitMq!.AmqpUri;

    public static async Task<string> Redis() =>
        (await Start("redis", new() { DataFolder = "", Postgres = false, RabbitMq = false })).Redis!.RedisConnection;

    static async Task<PrivateStack> Start(string part, StackOptions options)
    {
        await RemoveLeft();
        var owner = ProcessIdentity.Current;
        var folder = Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"{owner.Pid}-{owner.StartTicks}-{part}"));
        var stack = await PrivateStack.Start(options with { DataFolder = folder, Durable = false }, CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            stack.DisposeAsync().AsTask().Wait();
            PrivateStack.Remove(folder, CancellationToken.None).Wait();
        };
        return stack;
    }

    static async Task RemoveLeft()
    {
        if (!Directory.Exists(Root)) return;
        foreach (var folder in Directory.GetDirectories(Root))
        {
            var name = Path.GetFileName(folder).Split('-');
            if (name.Length == 3 && int.TryParse(name[0], out var pid) && long.TryParse(name[1], out var start)
                && ProcessIdentity.Find(pid)?.StartTicks == start) continue;
            try
            {
                await PrivateStack.Remove(folder, CancellationToken.None);
            }
            catch (IOException)
            {
                // another test process removes it at the same time
            }
        }
    }
}
