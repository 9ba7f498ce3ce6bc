namespace Matrix.ClientApi.Tests.Keys;

public sealed class ToDeviceTests(MatrixServer server)
{
    [Fact]
    public async Task A_message_comes_until_its_token_is_used_and_never_after()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var since = (await bob.User.Sync()).NextBatch;
        var waiting = bob.User.SyncUntil(sync => KeyUser.Messages(sync).Count > 0, since);
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "hi" }))).Ok();
        var first = await waiting;
        var message = first.Json.At("to_device.events").Items().Single();
        Assert.Equal(("org.example.x", alice.Id, "hi"), (message.String("type"), message.String("sender"), message.String("content.body")));
        Assert.Equal(["hi"], KeyUser.Messages(await bob.User.Sync(since)));
        Assert.Empty(KeyUser.Messages(await bob.User.Sync(first.NextBatch)));
        Assert.Empty(KeyUser.Messages(await bob.User.Sync(first.NextBatch)));
    }

    [Fact]
    public async Task The_same_transaction_is_carried_out_once()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ =>
            (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "once" }), "same")).Ok()));
        Assert.Equal(["once"], KeyUser.Messages(await bob.User.Sync()));
    }

    [Fact]
    public async Task A_star_reaches_all_devices_and_what_does_not_exist_nobody()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var phone = await bob.User.NewDevice();
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, "*", new { body = "all" }))).Ok();
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, "NONE", new { body = "nobody" }))).Ok();
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, phone.DeviceId, new { body = "phone" }))).Ok();
        Assert.Equal(["all"], KeyUser.Messages(await bob.User.Sync()));
        Assert.Equal(["all", "phone"], KeyUser.Messages(await phone.Sync()));
    }

    [Fact]
    public async Task Many_messages_come_in_answers_of_a_hundred_in_order()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var since = (await bob.User.Sync()).NextBatch;
        for (var i = 0; i < 210; i++)
            (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = $"m{i}" }))).Ok();
        var got = new List<string>();
        while (got.Count < 210)
        {
            // another replica may hear of the newest a moment later
            var sync = await bob.User.SyncUntil(s => KeyUser.Messages(s).Count > 0, since);
            Assert.InRange(KeyUser.Messages(sync).Count, 1, 100);
            got.AddRange(KeyUser.Messages(sync));
            since = sync.NextBatch;
        }
        Assert.Equal([.. Enumerable.Range(0, 210).Select(i => $"m{i}")], got);
        Assert.Empty(KeyUser.Messages(await bob.User.Sync(since)));
    }

    [Fact]
    public async Task A_request_to_many_hundred_devices_reaches_each()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var messages = KeyUser.To(bob.Id, bob.Device, new { body = "you" });
        for (var i = 0; i < 1000; i++)
            messages[bob.Id][$"NONE{i}"] = new { body = "nobody" };
        messages[alice.Id] = new() { [alice.Device] = new { body = "me" } };
        var waiting = bob.User.SyncUntil(sync => KeyUser.Messages(sync).Count > 0, (await bob.User.Sync()).NextBatch);
        (await alice.SendToDevice("org.example.x", messages)).Ok();
        Assert.Equal(["you"], KeyUser.Messages(await waiting));
        Assert.Equal(["me"], KeyUser.Messages(await alice.User.Sync()));
    }

    [Fact]
    public async Task What_is_no_message_is_refused()
    {
        using var alice = await KeyUser.Create(server);
        (await alice.SendToDevice("x", new[] { 1 })).Refused(400, "M_BAD_JSON");
        (await alice.SendToDevice("x", new Dictionary<string, object> { ["nobody"] = new { } })).Refused(400, "M_INVALID_PARAM");
        (await alice.SendToDevice("x", new Dictionary<string, object> { [alice.Id] = new { A = 1 } })).Refused(400, "M_INVALID_PARAM");
        (await alice.SendToDevice("x", KeyUser.To(alice.Id, "A", new { body = new string('x', 70_000) }))).Refused(413, "M_TOO_LARGE");
        (await alice.User.Put($"{KeyUser.V3}/sendToDevice/x/1", new { })).Refused(400, "M_MISSING_PARAM");
    }
}
