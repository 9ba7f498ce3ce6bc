using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MassTransit;
using Matrix.Replication;
using Matrix.Replication.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// One process of a homeserver, for tests that kill it: appends notes and prints what it was told was stored ("stored ID COUNT POSITION")
// and what it followed ("followed POSITION KEY"). On "stop" it appends no more and says "stopped"; on "until POSITION" it follows the log so
// far and ends.
// With 0 appenders and "lease=NAME" in the configuration it only holds that lease, and says "holding FENCE".
// With "job=copy" it does SlowCopyJob besides.
// Arguments: the number of appenders, then the configuration as key=value.
var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Configuration.AddCommandLine(args[1..]);
builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Error);
builder.Services.AddSingleton<IConfigureReceiveEndpoint, Chaos>();
builder.AddReplication();
if (builder.Configuration["job"] == CopyJob.JobName) builder.AddBackgroundJob<HostApplicationBuilder, SlowCopyJob>();

using var host = builder.Build();
await host.StartAsync();
var follower = host.Services.GetRequiredService<LogFollower>();
var writer = host.Services.GetRequiredService<LogWriter>();
await follower.Started;

using var lines = new BlockingCollection<string>();
var printing = Task.Run(() =>
{
    using var output = Console.OpenStandardOutput();
    foreach (var line in lines.GetConsumingEnumerable())
        output.Write(Encoding.UTF8.GetBytes(line + " .\n")); // the dot tells a whole line from one that a kill has torn
});

using var stop = new CancellationTokenSource();
using var subscription = follower.Subscribe(entries =>
{
    foreach (var entry in entries)
        lines.Add($"followed {entry.Position} {entry.Key}");
});
var appenders = Enumerable.Range(0, int.Parse(args[0], CultureInfo.InvariantCulture)).Select(_ => Task.Run(Append)).ToList();
if (builder.Configuration["lease"] is { } lease)
    lines.Add($"holding {(await host.Services.GetRequiredService<Leases>().TryAcquire(lease, TimeSpan.FromSeconds(3), CancellationToken.None))!.Fence}");
while (await Console.In.ReadLineAsync() is { } order)
{
    if (order == "stop")
    {
        await stop.CancelAsync();
        await Task.WhenAll(appenders);
        lines.Add("stopped");
    }
    else
    {
        await follower.WaitFor(new LogPosition(long.Parse(order["until ".Length..], CultureInfo.InvariantCulture)), CancellationToken.None);
        break;
    }
}
await host.StopAsync();
lines.CompleteAdding();
await printing;

async Task Append()
{
    while (!stop.IsCancellationRequested)
    {
        var (id, count) = (Guid.NewGuid(), Random.Shared.Next(1, 4));
        var position = await writer.Append(new Note(id, count), CancellationToken.None);
        lines.Add($"stored {id} {count} {position}");
        await follower.WaitFor(position, CancellationToken.None);
        if (follower.Position < position)
            throw new InvalidOperationException("WaitFor returned too early.");
        await Task.Delay(Random.Shared.Next(5));
    }
}
