using Matrix.Federation.Tests.Harness;
using Npgsql;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Partitions;

/// <summary>Three homeservers, any two of which can be cut off from each other.</summary>
public sealed class PartitionedServers(FederatedServers servers) : IAsyncLifetime
{
    readonly SwitchableProxy[] proxies = [new(), new(), new()];

    public IReadOnlyList<MatrixServer> All { get; private set; } = [];

    public async ValueTask InitializeAsync() =>
        All = await Task.WhenAll(proxies.Select(proxy => servers.Start(configuration => configuration["https_proxy"] = proxy.Url)));

    /// <summary>Neither reaches the other.</summary>
    public void Cut(int one, int other)
    {
        proxies[one].Cut(All[other].ServerName);
        proxies[other].Cut(All[one].ServerName);
    }

    public void Heal()
    {
        foreach (var proxy in proxies)
            proxy.Heal();
    }

    /// <summary>The events of a room that a server has where they belong, whatever it thinks of them, and what it rejects.</summary>
    public static async Task<SortedSet<string>> EventsAt(MatrixServer server, string room)
    {
        await using var command = server.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            """
            SELECT event_id || CASE WHEN rejected IS NULL THEN '' ELSE ' rejected' END
            FROM events JOIN rooms USING (room_nid) WHERE room_id = $1 AND state_before IS NOT NULL
            """);
        command.Parameters.AddWithValue(room);
        var events = new SortedSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            events.Add(reader.GetString(0));
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in All)
            await server.DisposeAsync();
        foreach (var proxy in proxies)
            await proxy.DisposeAsync();
    }
}
