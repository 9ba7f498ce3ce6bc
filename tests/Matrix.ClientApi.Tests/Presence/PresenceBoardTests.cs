using Matrix.ClientApi.Sync.Presence;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.ClientApi.Tests.Presence;

/// <summary>Presence over time and over processes, by a clock that is moved.</summary>
public sealed class PresenceBoardTests
{
    readonly FakeTimeProvider time = new();
    readonly PresenceBoard here, elsewhere;
    readonly LocalPresence local;

    public PresenceBoardTests()
    {
        (here, elsewhere) = (new PresenceBoard(time), new PresenceBoard(time));
        local = new LocalPresence(here, time);
    }

    [Fact]
    public void A_user_who_does_nothing_becomes_idle_and_one_who_does_something_is_back()
    {
        local.SyncBegan("@a:x", "D", "online");
        Assert.Equal(("online", true), (here.Find("@a:x").Presence, here.Find("@a:x").CurrentlyActive));
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(("online", false), (here.Find("@a:x").Presence, here.Find("@a:x").CurrentlyActive));
        Pass(TimeSpan.FromMinutes(4));
        Assert.Equal("unavailable", here.Find("@a:x").Presence);
        local.SyncBegan("@a:x", "D", "online");
        Assert.Equal("unavailable", here.Find("@a:x").Presence);
        local.Active("@a:x");
        Assert.Equal("online", here.Find("@a:x").Presence);
    }

    [Fact]
    public void Of_what_a_user_says_twice_within_a_millisecond_the_last_counts()
    {
        local.Set("@a:x", "D", "online", "one");
        local.Set("@a:x", "D", "online", "two");
        Assert.Equal("two", here.Find("@a:x").StatusMessage);
        Assert.Equal("two", local.TakeUntold().Single().StatusMessage);
    }

    [Fact]
    public void A_user_of_another_server_is_idle_when_that_says_so()
    {
        here.Apply("@other.example", new Matrix.Rooms.Ephemeral.PresenceFact("@b:other.example", "online", null, 0, time.GetUtcNow().ToUnixTimeMilliseconds()));
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal("online", here.Find("@b:other.example").Presence);
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal("offline", here.Find("@b:other.example").Presence);
    }

    [Fact]
    public void Who_stops_syncing_is_offline_after_a_while_and_not_between_two_requests()
    {
        local.SyncBegan("@a:x", "D", "online");
        Pass(TimeSpan.FromMinutes(1));
        local.SyncEnded("@a:x", "D");
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal("online", here.Find("@a:x").Presence);
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal("offline", here.Find("@a:x").Presence);
        Assert.True(local.IsEmpty);
    }

    [Fact]
    public void The_device_that_says_most_decides_and_an_idle_one_does_not_undo_it()
    {
        local.SyncBegan("@a:x", "PHONE", "online");
        local.SyncBegan("@a:x", "WEB", "unavailable");
        Assert.Equal("online", here.Find("@a:x").Presence);
        local.Set("@a:x", "PHONE", PresenceState.Busy, null);
        local.SyncBegan("@a:x", "PHONE", "online");
        Assert.Equal(PresenceState.Busy, here.Find("@a:x").Presence);
    }

    [Fact]
    public void Another_process_derives_the_same_and_forgets_those_of_a_dead_one()
    {
        local.SyncBegan("@a:x", "D", "online");
        local.Set("@a:x", "D", "online", "hello");
        foreach (var fact in local.TakeUntold())
            elsewhere.Apply(here.Process, fact);
        Assert.Equal(here.Find("@a:x"), elsewhere.Find("@a:x"));
        Assert.Empty(local.TakeUntold());
        elsewhere.Forget(here.Process);
        Assert.Equal(("offline", "hello"), (elsewhere.Find("@a:x").Presence, elsewhere.Find("@a:x").StatusMessage));
        local.TellAll();
        elsewhere.Apply(here.Process, Assert.Single(local.TakeUntold()));
        Assert.Equal("online", elsewhere.Find("@a:x").Presence);
    }

    [Fact]
    public void Who_went_offline_is_remembered_for_a_day_and_then_forgotten()
    {
        local.Set("@a:x", "D", "online", "back soon");
        Pass(TimeSpan.FromMinutes(1));
        Pass(TimeSpan.FromHours(23));
        Assert.Equal(("offline", "back soon"), (here.Find("@a:x").Presence, here.Find("@a:x").StatusMessage));
        time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(["@a:x"], here.Tick());
        Assert.Empty(here.List(["@a:x"]));
    }

    void Pass(TimeSpan duration)
    {
        time.Advance(duration);
        local.Tick();
        here.Tick();
    }
}
