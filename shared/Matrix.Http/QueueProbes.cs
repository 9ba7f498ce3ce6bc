using System.Diagnostics;
using Matrix.Hosting.Overload;
using Matrix.Replication;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Http;

/// <summary>What requests queue for besides threads: a connection of the pool, and the next commit of the log.</summary>
static class QueueProbes
{
    public static void Add(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(QueueProbe)))
            return;
        services.AddSingleton(provider => new QueueProbe("connection", ct => Connection(provider.GetService<NpgsqlDataSource>(), ct)));
        services.AddSingleton(provider => new QueueProbe("commit", _ => ValueTask.FromResult(provider.GetService<LogWriter>()?.QueueingTime ?? TimeSpan.Zero)));
    }

    // takes one from the pool and gives it back: nothing is sent
    static async ValueTask<TimeSpan> Connection(NpgsqlDataSource? db, CancellationToken ct)
    {
        if (db is null)
            return TimeSpan.Zero;
        var began = Stopwatch.GetTimestamp();
        await using var connection = await db.OpenConnectionAsync(ct);
        return Stopwatch.GetElapsedTime(began);
    }
}
