using Matrix.Storage.Rooms;
using Matrix.Testing;

namespace Matrix.Storage.Tests;

public sealed class TransactionAgeTests
{
    [Fact]
    public async Task Old_transaction_ids_are_forgotten_a_few_at_a_time_and_young_ones_stay()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.Create(ct);
        await database.Db.Execute(
            """
            INSERT INTO event_transactions (user_id, device_id, room_nid, txn_id, event_id, event_nid, created_at)
            SELECT '@a:x', 'D', 1, n, '$' || n, n, now() - n * interval '1 day' FROM generate_series(1, 10) n
            """, null, ct);
        var events = new EventStore(database.Db);
        Assert.Equal(2, await events.DeleteOldTransactions(TimeSpan.FromDays(7.5), 2, ct));
        Assert.Equal(1, await events.DeleteOldTransactions(TimeSpan.FromDays(7.5), 2, ct));
        Assert.Equal(0, await events.DeleteOldTransactions(TimeSpan.FromDays(7.5), 2, ct));
        Assert.Equal(7, await database.Db.GetOne<long>("SELECT max(event_nid) FROM event_transactions", null, ct));
        Assert.Equal(7, await database.Db.GetOne<long>("SELECT count(*) FROM event_transactions", null, ct));
    }
}
