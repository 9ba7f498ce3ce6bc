using Matrix.Testing;

namespace Matrix.Rooms.Tests;

/// <summary>Tests on a database of their own, with one process of the homeserver on it.</summary>
public abstract class NodeTests(string? serverName = null) : IAsyncLifetime
{
    private protected TestDatabase database = null!;
    private protected RoomNode node = null!;

    public virtual async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create();
        node = await RoomNode.Start(database, serverName);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await database.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
