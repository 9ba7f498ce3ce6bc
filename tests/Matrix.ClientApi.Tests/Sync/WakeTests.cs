namespace Matrix.ClientApi.Tests.Sync;

public sealed class WakeTests(MatrixServer server)
{
    [Fact]
    public async Task A_waiting_sync_is_answered_within_a_fraction_of_a_second()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await bob.Sync()).NextBatch;
        var times = new List<TimeSpan>();
        for (var i = 0; i < 20; i++)
        {
            var waiting = bob.SyncUntil(sync => sync.HasMessage(room, $"m{i}"), since);
            var sent = TimeProvider.System.GetTimestamp();
            await alice.Say(room, $"m{i}");
            since = (await waiting).NextBatch;
            times.Add(TimeProvider.System.GetElapsedTime(sent));
        }
        times.Sort();
        TestContext.Current.SendDiagnosticMessage($"From send to delivery: median {times[10].TotalMilliseconds:0.0} ms, slowest {times[^1].TotalMilliseconds:0.0} ms");
        Assert.True(times[10] < TimeSpan.FromSeconds(1), $"The median was {times[10]}.");
    }

    [Fact]
    public async Task Many_who_wait_are_all_woken_by_one_message()
    {
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var members = new List<User>();
        for (var i = 0; i < 20; i++)
        {
            members.Add(await server.NewUser());
            await members[i].Join(room);
        }
        var tokens = await Task.WhenAll(members.Select(async member => (await member.Sync()).NextBatch));
        var waiting = members.Zip(tokens, (member, since) => member.SyncUntil(sync => sync.HasMessage(room, "all"), since)).ToList();
        await alice.Say(room, "all");
        foreach (var answer in await Task.WhenAll(waiting))
            Assert.Equal("all", answer.Bodies(room)[^1]);
    }

    [Fact]
    public async Task An_invite_and_a_join_elsewhere_wake_the_user()
    {
        var (alice, room) = await server.UserInRoom();
        var bob = await server.NewUser();
        var phone = await bob.NewDevice();
        var since = (await phone.Sync()).NextBatch;
        var waiting = phone.SyncUntil(sync => sync.Invited(room) is not null, since);
        await alice.Invite(room, bob);
        since = (await waiting).NextBatch;
        waiting = phone.SyncUntil(sync => sync.Joined(room) is not null, since);
        await bob.Join(room);
        since = (await waiting).NextBatch;
        waiting = phone.SyncUntil(sync => sync.HasMessage(room, "welcome"), since);
        await alice.Say(room, "welcome");
        await waiting;
    }

    [Fact]
    public async Task A_sync_without_news_waits_for_its_time_and_then_is_empty()
    {
        var (alice, _) = await server.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        var began = TimeProvider.System.GetTimestamp();
        var sync = await alice.Sync(since, timeout: 400);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds, 390, 30_000);
        Assert.False(sync.Json.TryGetProperty("rooms", out _));
    }
}
