namespace Matrix.ClientApi.Tests.Keys;

public sealed class DeviceListTests(MatrixServer server)
{
    [Fact]
    public async Task A_change_of_keys_reaches_those_who_share_a_room_and_nobody_else()
    {
        var (first, second, _) = await server.TwoUsersInRoom();
        using var alice = new KeyUser(first);
        using var bob = new KeyUser(second);
        using var eve = await KeyUser.Create(server);
        var (bobs, eves) = ((await bob.User.Sync()).NextBatch, (await eve.User.Sync()).NextBatch);
        var waiting = bob.User.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, bobs);
        await alice.UploadDevice();
        Assert.Equal([alice.Id], KeyUser.Changed(await waiting));
        Assert.Empty(KeyUser.Changed(await eve.User.Sync(eves)));
        var again = (await bob.User.Sync()).NextBatch;
        await alice.UploadDevice();
        Assert.Empty(KeyUser.Changed(await bob.User.Sync(again)));
    }

    [Fact]
    public async Task The_first_sync_has_no_list_and_the_own_keys_are_told_too()
    {
        using var alice = await KeyUser.Create(server);
        var first = await alice.User.Sync();
        Assert.Null(first.Json.Find("device_lists"));
        (await alice.UploadCrossSigning()).Ok();
        Assert.Equal([alice.Id], KeyUser.Changed(await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, first.NextBatch)));
    }

    [Fact]
    public async Task Who_comes_to_share_a_room_is_told_and_who_ceases_too()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var room = await alice.User.CreateRoom();
        var (alices, bobs) = ((await alice.User.Sync()).NextBatch, (await bob.User.Sync()).NextBatch);
        await alice.User.Invite(room, bob.User);
        await bob.User.Join(room);
        var seen = await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, alices);
        Assert.Equal([bob.Id], KeyUser.Changed(seen));
        Assert.Contains(alice.Id, KeyUser.Changed(await bob.User.SyncUntil(sync => sync.Joined(room) is not null, bobs)));

        bobs = (await bob.User.Sync()).NextBatch;
        await bob.User.Leave(room);
        Assert.Equal([bob.Id], KeyUser.Changed(await alice.User.SyncUntil(sync => KeyUser.Changed(sync, "left").Count > 0, seen.NextBatch), "left"));
        Assert.Equal([alice.Id], KeyUser.Changed(await bob.User.SyncUntil(sync => sync.Left(room) is not null, bobs), "left"));
    }

    [Fact]
    public async Task A_second_room_and_another_name_change_nothing()
    {
        var (first, second, _) = await server.TwoUsersInRoom();
        var other = await first.CreateRoom();
        await first.Invite(other, second);
        var since = (await first.Sync()).NextBatch;
        await second.Join(other);
        (await second.Put($"{KeyUser.V3}/profile/{second.UserId}/displayname", new { displayname = "Bob" })).Ok();
        await second.Leave(other);
        var sync = await first.SyncUntil(s => s.Timeline(other).Any(e => e.Find("content.membership")?.GetString() == "leave"), since);
        Assert.Empty(KeyUser.Changed(sync));
        Assert.Empty(KeyUser.Changed(sync, "left"));
    }

    [Fact]
    public async Task Keys_changes_tells_what_changed_since_a_token()
    {
        var (first, second, _) = await server.TwoUsersInRoom();
        using var alice = new KeyUser(first);
        var since = (await second.Sync()).NextBatch;
        Assert.Empty((await second.Get($"{KeyUser.V3}/keys/changes?from={since}&to={since}")).Ok()["changed"].Items());
        await alice.UploadDevice();
        var now = (await second.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, since)).NextBatch;
        var reply = (await second.Get($"{KeyUser.V3}/keys/changes?from={since}&to={now}")).Ok();
        Assert.Equal([alice.Id], reply["changed"].Items().Select(id => id.GetString()));
        Assert.Empty(reply["left"].Items());
        (await second.Get($"{KeyUser.V3}/keys/changes?to={now}")).Refused(400, "M_MISSING_PARAM");
        (await second.Get($"{KeyUser.V3}/keys/changes?from=x&to={now}")).Refused(400, "M_INVALID_PARAM");
    }
}
