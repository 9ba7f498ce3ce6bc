using Matrix.Storage.Rooms;
using Matrix.Testing;

namespace Matrix.Storage.Tests;

/// <summary>When rooms may be joined without their members (docs/adr/0028).</summary>
public sealed class PartialRoomTests
{
    static readonly TimeSpan Upgrade = TimeSpan.FromHours(1);

    [Fact]
    public async Task No_room_is_partial_while_a_release_that_does_not_know_of_it_may_run_beside_this_one()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.Create(ct);
        var store = new PartialRoomStore(database.Db);
        Assert.True(await store.AreKnownToAll(Upgrade, ct), "Nothing older ever ran on a new database.");

        await database.Db.Execute("UPDATE schema_migrations SET applied_at = now() - interval '30 days' WHERE name < '0160'", null, ct);
        await database.Db.Execute("UPDATE schema_migrations SET applied_at = now() - interval '59 minutes' WHERE name >= '0160'", null, ct);
        Assert.False(await store.AreKnownToAll(Upgrade, ct), "The upgrade may be under way.");

        await database.Db.Execute("UPDATE schema_migrations SET applied_at = now() - interval '61 minutes' WHERE name >= '0160'", null, ct);
        Assert.True(await store.AreKnownToAll(Upgrade, ct), "The upgrade is over.");
    }
}
