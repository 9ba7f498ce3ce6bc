using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Rooms.Tests.State;

/// <summary>State trees whose nodes are in Postgres and not in memory.</summary>
public sealed class StoredStateTreeTests
{
    [Fact]
    public async Task A_tree_is_read_from_the_database_by_a_process_that_has_never_seen_it()
    {
        await using var database = await TestDatabase.Create();
        var members = Enumerable.Range(0, 2_000).Select(i => new StateAssignment(new StateKeyPair("m.room.member", $"@u{i}:test.example"), i + 1)).ToArray();
        var writer = Open(database);
        var first = await writer.Set(StateTree.Empty, members, default);
        await Store(database.Db, first.NewNodes);
        var changed = new StateAssignment(members[7].Key, 9_999);
        var second = await writer.Set(first.Root, [changed], default);
        await Store(database.Db, second.NewNodes);

        Assert.Equal([8, 9_999, null], [
            await Open(database).Find(first.Root, members[7].Key, default),
            await Open(database).Find(second.Root, members[7].Key, default),
            await Open(database).Find(second.Root, new StateKeyPair("m.room.member", "@nobody:test.example"), default),
        ]);
        Assert.Equal(2_000, (await Open(database).ReadAll(second.Root, default)).DistinctBy(e => e.Key).Count());
        Assert.Equal([new StateDifference(members[7].Key, 8, 9_999)], await Open(database).Diff(first.Root, second.Root, default));
        var third = await Open(database).Set(second.Root, [members[7]], default);
        Assert.Equal(first.Root, third.Root);
    }

    [Fact]
    public async Task A_lost_node_is_reported_and_not_taken_for_an_empty_one()
    {
        await using var database = await TestDatabase.Create();
        var lost = new StateNodeId(12345);
        await Assert.ThrowsAsync<InvalidDataException>(() => Open(database).ReadAll(lost, default));
    }

    static StateTree Open(TestDatabase database) => new(new StateNodeStore(database.Db), new StateNodeCache(new Caches(new CacheOptions())));

    static async Task Store(NpgsqlDataSource db, IEnumerable<StateNode> nodes)
    {
        foreach (var node in nodes)
        {
            await using var insert = db.CreateCommand("INSERT INTO state_nodes (node_id, data) VALUES ($1, $2) ON CONFLICT DO NOTHING");
            insert.Parameters.Add(new NpgsqlParameter { Value = node.Id.ToBytes() });
            insert.Parameters.Add(new NpgsqlParameter { Value = node.Data.ToArray() });
            await insert.ExecuteNonQueryAsync();
        }
    }
}
