using Matrix.ClientApi.Sync;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class SyncUsersLimitTests
{
    static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly List<SyncUser> users = [.. Enumerable.Range(0, 10).Select(i => new SyncUser($"@{i}") { LastUsed = Now.AddMinutes(i) })];

    [Fact]
    public void Nobody_is_forgotten_while_there_is_room() =>
        Assert.Empty(SyncUsersLimit.ToForget(users, Now, SyncUsersLimit.Bytes));

    [Fact]
    public void Those_who_were_away_for_long_are_forgotten() =>
        Assert.Equal(["@0", "@1"], SyncUsersLimit.ToForget(users, Now.AddMinutes(2), SyncUsersLimit.Bytes).Select(user => user.UserId));

    [Fact]
    public void Without_room_the_longest_away_go_first_and_nobody_who_waits()
    {
        users[0].Uses = 1;
        Assert.Equal(["@1", "@2", "@3"], SyncUsersLimit.ToForget(users, Now, 7 * 800).Select(user => user.UserId));
    }
}
