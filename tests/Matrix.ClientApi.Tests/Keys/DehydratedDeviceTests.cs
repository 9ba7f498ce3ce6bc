namespace Matrix.ClientApi.Tests.Keys;

/// <summary>The device that receives keys while none of a user's own is there (MSC3814).</summary>
public sealed class DehydratedDeviceTests(MatrixServer server)
{
    const string Root = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", Id = "1g0sTj+8vX/Zz7c4oYkE0Q";

    [Fact]
    public async Task It_is_a_device_like_others_to_whom_others_send_keys_and_the_next_device_reads_them()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.User.Get(Root)).Refused(404, "M_NOT_FOUND");
        Assert.Equal(Id, (await Put(alice, Id, "first")).Ok().String("device_id"));
        Assert.Equal("first", (await alice.User.Get(Root)).Ok()["device_data"].String("pickle"));

        var keys = (await bob.Query(alice.Id)).Ok()["device_keys"].At(alice.Id);
        Assert.True(keys.At(Id).At("dehydrated").GetBoolean());
        var claimed = (await bob.User.Post($"{KeyUser.V3}/keys/claim", new
        {
            one_time_keys = new Dictionary<string, object> { [alice.Id] = new Dictionary<string, string> { [Id] = KeyUser.Signed } },
        })).Ok();
        Assert.Equal($"{KeyUser.Signed}:f1", claimed["one_time_keys"].At(alice.Id).At(Id).EnumerateObject().Single().Name);
        foreach (var body in new[] { "one", "two" })
            (await bob.SendToDevice("org.example.x", KeyUser.To(alice.Id, Id, new { body }))).Ok();

        var phone = await alice.User.NewDevice();
        var events = $"{Root}/{ApiClient.Esc(Id)}/events";
        var first = (await phone.Post(events)).Ok();
        Assert.Equal(["one", "two"], first["events"].Items().Select(e => e.String("content.body")));
        Assert.Empty((await phone.Get($"{events}?next_batch={first.String("next_batch")}")).Ok()["events"].Items());
        Assert.Equal(2, (await phone.Get(events)).Ok()["events"].Items().Count); // nothing is deleted by reading
        (await phone.Get($"{Root}/{alice.Device}/events")).Refused(403, "M_FORBIDDEN");
        (await phone.Get($"{events}?next_batch=x")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_new_one_takes_the_place_of_the_old_and_others_hear_of_it()
    {
        using var alice = await KeyUser.Create(server);
        (await Put(alice, Id, "first")).Ok();
        (await Put(alice, Id, "again")).Ok();
        var since = (await alice.User.Sync()).NextBatch;
        (await Put(alice, "another", "second")).Ok();
        Assert.Contains(alice.Id, KeyUser.Changed(await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, since)));
        var devices = (await alice.Query(alice.Id)).Ok()["device_keys"].At(alice.Id);
        Assert.Null(devices.Find(Id));
        Assert.NotNull(devices.Find("another"));

        (await alice.User.Delete(Root)).Ok();
        (await alice.User.Delete(Root)).Refused(404, "M_NOT_FOUND");
        Assert.Null((await alice.Query(alice.Id)).Ok()["device_keys"].At(alice.Id).Find("another"));
    }

    [Fact]
    public async Task A_device_that_is_in_use_cannot_be_dehydrated_nor_one_of_another_name()
    {
        using var alice = await KeyUser.Create(server);
        (await Put(alice, alice.Device, "x")).Refused(400, "M_INVALID_PARAM");
        (await Put(alice, Id, "x", keysOf: "else")).Refused(400, "M_INVALID_PARAM");
        (await alice.User.Get($"{KeyUser.V3}/account/whoami")).Ok();
    }

    static Task<Reply> Put(KeyUser user, string deviceId, string data, string? keysOf = null) => user.User.Put(Root, new
    {
        device_id = deviceId,
        device_data = new { algorithm = "m.dehydration.v2", pickle = data },
        initial_device_display_name = "asleep",
        device_keys = new
        {
            user_id = user.Id,
            device_id = keysOf ?? deviceId,
            dehydrated = true,
            algorithms = new[] { "m.olm.v1.curve25519-aes-sha2" },
            keys = new Dictionary<string, string> { [$"curve25519:{deviceId}"] = deviceId },
        },
        fallback_keys = new Dictionary<string, object> { [$"{KeyUser.Signed}:f1"] = new { key = "fallback", fallback = true } },
    });
}
