using Matrix.ClientApi.Sync.Visibility;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Tests.History;

/// <summary>Which stretches of a timeline a user may see.</summary>
public sealed class SightTests
{
    const long End = long.MaxValue;

    [Fact]
    public void In_a_shared_room_a_member_sees_everything()
    {
        var sight = Sight([(2, "shared")], [(5, "invite"), (9, "join")], "join");
        Assert.True(sight.SeesAll);
        Assert.Equal([(3, 7)], sight.Within(3, 7));
    }

    [Fact]
    public void Under_joined_a_member_sees_the_stays_and_the_events_about_oneself()
    {
        var sight = Sight([(1, "joined")], [(10, "invite"), (20, "join"), (30, "leave"), (40, "join")], "join");
        Assert.False(sight.SeesAll);
        // before the first event the visibility was the default: shared
        Assert.Equal([(long.MinValue, 1), (9, 10), (19, 30), (39, End)], sight.Within(long.MinValue, End));
    }

    [Fact]
    public void Under_invited_an_invite_opens_the_door()
    {
        var sight = Sight([(1, "invited")], [(10, "invite"), (20, "join"), (30, "leave")], "leave");
        Assert.Equal([(long.MinValue, 1), (9, 30)], sight.Within(long.MinValue, End));
    }

    [Fact]
    public void Who_left_sees_what_came_before_the_leave()
    {
        var sight = Sight([(1, "shared")], [(10, "join"), (30, "leave"), (40, "invite"), (50, "leave")], "leave");
        Assert.Equal(30, sight.StayEnd);
        Assert.Equal([(long.MinValue, 30), (39, 40), (49, 50)], sight.Within(long.MinValue, End));
    }

    [Fact]
    public void A_stranger_sees_what_was_open_to_the_world_and_both_ends_of_it()
    {
        var sight = Sight([(1, "world_readable"), (50, "joined"), (70, "world_readable")], [], null);
        Assert.Equal([(0, 50), (69, End)], sight.Within(long.MinValue, End));
        Assert.False(sight.WasJoined);
    }

    [Fact]
    public void History_from_before_the_first_synced_event_counts_too()
    {
        var sight = Sight([(-50, "joined")], [(-20, "join")], "join");
        Assert.False(sight.Includes(-30));
        Assert.True(sight.Includes(-10));
        Assert.False(Sight([(-50, "shared")], [], null).Includes(-60));
    }

    static Sight Sight((long, string)[] visibilities, (long, string)[] memberships, string? current) => new(
        "@a:x", [.. visibilities.Select(e => new SightEvent(e.Item1, e.Item2))], [.. memberships.Select(e => new SightEvent(e.Item1, e.Item2))],
        current is null ? null : new SightMembership(1, current, 0, false));
}
