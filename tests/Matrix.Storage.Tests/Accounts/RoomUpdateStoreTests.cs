using Matrix.Protocol;
using Matrix.Testing;

namespace Matrix.Storage.Tests.Accounts;

public sealed class RoomUpdateStoreTests
{
    static readonly UserId Alice = UserId.Parse("@alice:test.example");

    [Fact]
    public async Task A_change_made_while_the_one_before_is_shown_stays_due()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.Create(ct);
        var (due, profiles) = (new RoomUpdateStore(database.Db), new ProfileStore(database.Db));
        await using (var tx = await database.Db.BeginTransaction(ct))
        {
            await new AccountStore(database.Db).Insert(tx, new NewAccount(Alice, null), null, ct);
            await tx.CommitAsync(ct);
        }

        Assert.Null(await due.Find(Alice, ct));
        await profiles.SetDisplayName(Alice, "one", ct);
        var first = await due.Find(Alice, ct);
        await profiles.SetAvatarUrl(Alice, "mxc://test.example/two", ct);
        await due.Delete(first!, ct);
        var second = await due.Find(Alice, ct);
        Assert.NotNull(second);

        Assert.Empty(await due.ListLeftOver(TimeSpan.FromMinutes(1), 10, ct));
        Assert.Equal([second], await due.ListLeftOver(TimeSpan.Zero, 10, ct));
        await due.Delete(second, ct);
        Assert.Empty(await due.ListLeftOver(TimeSpan.Zero, 10, ct));
    }
}
