namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingDeviceTests(MatrixServer server)
{
    [Fact]
    public async Task Messages_come_until_their_token_is_used_and_never_after()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var first = await bob.User.Slide(Body());
        var waiting = bob.User.SlideUntil(Body(Token(first)), s => Messages(s).Count > 0, first.Pos);
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "hi" }))).Ok();
        var reply = await waiting;
        Assert.Equal(["hi"], Messages(reply));
        // the pos moves on, but only the token says that they have arrived
        Assert.Equal(["hi"], Messages(await bob.User.Slide(Body(Token(first)), reply.Pos)));
        Assert.Equal(["hi"], Messages(await bob.User.Slide(Body(Token(first)))));
        Assert.Empty(Messages(await bob.User.Slide(Body(Token(reply)))));
        Assert.Empty(Messages(await bob.User.Slide(Body(Token(reply)), reply.Pos)));
    }

    [Fact]
    public async Task Many_messages_come_in_order_as_many_at_once_as_are_asked_for()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var reply = await bob.User.Slide(Body());
        for (var i = 0; i < 5; i++)
            (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = $"m{i}" }))).Ok();
        var got = new List<string>();
        while (got.Count < 5)
        {
            reply = await bob.User.SlideUntil(Body(Token(reply), 2), s => Messages(s).Count > 0, reply.Pos);
            Assert.True(Messages(reply).Count <= 2);
            got.AddRange(Messages(reply));
        }
        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], got);
    }

    [Fact]
    public async Task A_token_that_makes_no_sense_is_refused()
    {
        var bob = await server.NewUser();
        (await bob.TrySlide(Body("nonsense"))).Refused(400, "M_INVALID_PARAM");
        await bob.Slide(Body("d999999999999"));
    }

    [Fact]
    public async Task Changed_keys_of_others_and_what_is_left_of_the_own_are_told()
    {
        var (first, second, _) = await server.TwoUsersInRoom();
        using var alice = new KeyUser(first);
        using var bob = new KeyUser(second);
        var body = new { conn_id = "encryption", extensions = new { e2ee = new { enabled = true } } };
        await bob.UploadDevice();
        await bob.UploadOneTime("a", "b");
        await bob.UploadFallback("f");
        var reply = await bob.User.SlideUntil(body, s => s.Extension("e2ee.device_one_time_keys_count")!.Value.At(KeyUser.Signed).GetInt64() == 2);
        Assert.Equal([KeyUser.Signed], reply.Extension("e2ee.device_unused_fallback_key_types")!.Value.Items().Select(type => type.GetString()));
        Assert.Null(reply.Extension("e2ee.device_lists"));
        var waiting = bob.User.SlideUntil(body, s => s.Extension("e2ee.device_lists") is not null, reply.Pos);
        await alice.UploadDevice();
        Assert.Equal([alice.Id], (await waiting).Extension("e2ee.device_lists.changed")!.Value.Items().Select(id => id.GetString()));
    }

    [Fact]
    public async Task Clients_find_that_it_is_served() =>
        Assert.True((await server.Anonymous.Get("/_matrix/client/versions")).Ok()["unstable_features"].At("org.matrix.simplified_msc3575").GetBoolean());

    static object Body(string? since = null, int limit = 100) => new
    {
        conn_id = "encryption",
        extensions = new { to_device = new { enabled = true, since, limit } },
    };

    static string Token(SlidingReply reply) => reply.Extension("to_device.next_batch")!.Value.GetString()!;

    static IReadOnlyList<string> Messages(SlidingReply reply) =>
        [.. (reply.Extension("to_device.events")?.Items() ?? []).Select(e => e.String("content.body"))];
}
