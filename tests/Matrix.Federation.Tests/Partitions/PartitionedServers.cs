using Matrix.Federation.Tests.Harness;
using Npgsql;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Partitions;

/// <summary>Three homeservers, any two of which can be cut off from each other.</summary>
public abstract class PartitionedServers(FederatedServers servers) : IAsyncLifetime
{
    readonly SwitchableProxy[] proxies = [new(), new(), new()];

    public IReadOnlyList<PartitionedServer> All { get; private set; } = [];

    public virtual async ValueTask InitializeAsync() =>
        All = await Task.WhenAll(proxies.Select((proxy, i) => i < 2 ? Own(proxy.Url) : Third(proxy.Url)));

    /// <summary>Neither reaches the other.</summary>
    public void Cut(int one, int other)
    {
        proxies[one].Cut(All[other].Name);
        proxies[other].Cut(All[one].Name);
    }

    /// <summary>Each has reached another by its proxy: it can be cut off.</summary>
    public void AssertSeparable() => Assert.All(proxies, proxy => Assert.NotEqual(0, proxy.Made));

    public void Heal()
    {
        foreach (var proxy in proxies)
            proxy.Heal();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in All)
            await server.DisposeAsync();
        foreach (var proxy in proxies)
            await proxy.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected FederatedServers Servers => servers;

    private protected abstract Task<PartitionedServer> Third(string proxy);

    private protected async Task<PartitionedServer> Own(string proxy)
    {
        var server = await servers.Start(configuration => configuration["https_proxy"] = proxy);
        return new PartitionedServer(server.ServerName, () => server.NewUser(), server.Services.GetRequiredService<NpgsqlDataSource>(), server,
            """
            SELECT event_id || CASE WHEN rejected IS NULL THEN '' ELSE ' rejected' END
            FROM events JOIN rooms USING (room_nid) WHERE room_id = $1 AND state_before IS NOT NULL
            """);
    }
}

/// <summary>One of them.</summary>
/// <param name="Events">A query for the events of a room ($1) that have their place in it, with what it rejects said.</param>
public sealed record PartitionedServer(string Name, Func<Task<User>> NewUser, NpgsqlDataSource Database, IAsyncDisposable Server, string Events) : IAsyncDisposable
{
    /// <summary>The events of a room that a server has where they belong, whatever it thinks of them, and what it rejects.</summary>
    public async Task<SortedSet<string>> EventsOf(string room)
    {
        await using var command = Database.CreateCommand(Events);
        command.Parameters.AddWithValue(room);
        var events = new SortedSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            events.Add(reader.GetString(0));
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>All three are ours.</summary>
public sealed class OwnServers(FederatedServers servers) : PartitionedServers(servers)
{
    private protected override Task<PartitionedServer> Third(string proxy) => Own(proxy);
}

/// <summary>The third is a Synapse, where there is one.</summary>
public sealed class ServersWithPeer(FederatedServers servers) : PartitionedServers(servers)
{
    public override ValueTask InitializeAsync() => SynapsePeer.IsThere ? base.InitializeAsync() : ValueTask.CompletedTask;

    private protected override async Task<PartitionedServer> Third(string proxy)
    {
        var peer = await SynapsePeer.Start(Servers.Authority, proxy);
        return new PartitionedServer(peer.Name, () => peer.NewUser(), peer.OpenDatabase(), peer,
            "SELECT event_id || CASE WHEN rejection_reason IS NULL THEN '' ELSE ' rejected' END FROM events WHERE room_id = $1 AND NOT outlier");
    }
}
