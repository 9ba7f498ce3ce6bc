namespace Matrix.ClientApi.Tests.Sync;

public sealed class TypingTests(MatrixServer server)
{
    [Fact]
    public async Task Typing_shows_at_once_and_is_over_when_the_user_stops()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await alice.SyncUntil(s => s.Joined(room) is not null)).NextBatch;
        var waiting = alice.SyncUntil(s => Typing(s, room) is not null, since);
        await Type(bob, room, true, 20_000);
        var typing = await waiting;
        Assert.Equal([bob.UserId], Typing(typing, room));
        Assert.Equal([bob.UserId], Typing(await alice.Sync(), room));

        waiting = alice.SyncUntil(s => Typing(s, room) is not null, typing.NextBatch);
        await Type(bob, room, false, null);
        var stopped = await waiting;
        Assert.Empty(Typing(stopped, room)!);
        Assert.Null(Typing(await alice.Sync(stopped.NextBatch), room));
    }

    [Fact]
    public async Task Typing_runs_out_by_itself()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await alice.SyncUntil(s => s.Joined(room) is not null)).NextBatch;
        await Type(bob, room, true, 1);
        // whoever asks late is told of the end alone
        var seen = await alice.SyncUntil(s => Typing(s, room) is not null, since);
        if (Typing(seen, room) is { Count: 1 })
            await alice.SyncUntil(s => Typing(s, room) is { Count: 0 }, seen.NextBatch);
    }

    [Fact]
    public async Task A_token_of_another_process_gets_the_newest_state()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await alice.SyncUntil(s => s.Joined(room) is not null)).NextBatch;
        await Type(bob, room, true, 20_000);
        var elsewhere = $"{since.Split('_')[0]}_elsewhere.12345";
        Assert.Equal([bob.UserId], Typing(await alice.SyncUntil(s => Typing(s, room) is { Count: > 0 }, elsewhere), room));
    }

    [Fact]
    public async Task Only_members_type_and_only_for_themselves()
    {
        var (alice, room) = await server.UserInRoom();
        var eve = await server.NewUser();
        (await eve.Put(Path(room, eve), new { typing = true })).Refused(403, "M_FORBIDDEN");
        (await alice.Put(Path(room, eve), new { typing = true })).Refused(403, "M_FORBIDDEN");
        (await alice.Put(Path(room, alice), new { })).Refused(400, "M_MISSING_PARAM");
    }

    static async Task Type(User user, string room, bool typing, int? timeout) => (await user.Put(Path(room, user), new { typing, timeout })).Ok();

    static string Path(string room, User user) => $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/typing/{ApiClient.Esc(user.UserId)}";

    static List<string?>? Typing(SyncReply sync, string room) =>
        sync.Joined(room)?.Find("ephemeral.events")?.Items().Where(e => e.String("type") == "m.typing")
            .Select(e => e.At("content.user_ids").Items().Select(id => id.GetString()).ToList()).SingleOrDefault();
}
