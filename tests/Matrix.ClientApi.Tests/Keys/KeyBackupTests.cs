using System.Text.Json;

namespace Matrix.ClientApi.Tests.Keys;

public sealed class KeyBackupTests(MatrixServer server)
{
    const string Path = "/_matrix/client/v3/room_keys";
    const string Algorithm = "m.megolm_backup.v1.curve25519-aes-sha2";
    const string Room = "!room:example.org";

    [Fact]
    public async Task Versions_are_made_changed_and_deleted()
    {
        var alice = await server.NewUser();
        (await alice.Get($"{Path}/version")).Refused(404, "M_NOT_FOUND");
        Assert.Equal("1", await Create(alice));
        Assert.Equal("2", await Create(alice));
        (await alice.Put($"{Path}/version/2", new { algorithm = Algorithm, auth_data = new { public_key = "other" }, version = "2" })).Ok();
        (await alice.Put($"{Path}/version/2", new { algorithm = "x", auth_data = new { } })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put($"{Path}/version/2", new { algorithm = Algorithm, auth_data = new { }, version = "1" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Put($"{Path}/version/7", new { algorithm = Algorithm, auth_data = new { } })).Refused(404, "M_NOT_FOUND");
        var info = (await alice.Get($"{Path}/version")).Ok();
        Assert.Equal(("2", Algorithm, "other", 0), (info.String("version"), info.String("algorithm"), info.String("auth_data.public_key"), info["count"].GetInt32()));
        (await alice.Delete($"{Path}/version/2")).Ok();
        (await alice.Delete($"{Path}/version/2")).Ok();
        (await alice.Delete($"{Path}/version/9")).Refused(404, "M_NOT_FOUND");
        (await alice.Get($"{Path}/version/2")).Refused(404, "M_NOT_FOUND");
        Assert.Equal("1", (await alice.Get($"{Path}/version")).Ok().String("version"));
        Assert.Equal("3", await Create(alice));
    }

    [Fact]
    public async Task Keys_are_stored_counted_read_and_deleted()
    {
        var alice = await server.NewUser();
        await Create(alice);
        var empty = (await alice.Get($"{Path}/version")).Ok().String("etag");
        var one = (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s1?version=1", Key(5, 1, false, "a"))).Ok();
        Assert.NotEqual(empty, one.String("etag"));
        var more = (await alice.Put($"{Path}/keys?version=1", new
        {
            rooms = new Dictionary<string, object>
            {
                [Room] = new { sessions = new { s2 = Key(0, 0, true, "b") } },
                ["!other:example.org"] = new { sessions = new { s3 = Key(0, 0, true, "c") } },
            },
        })).Ok();
        Assert.Equal(3, more["count"].GetInt32());
        (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}?version=1", new { sessions = new { s4 = Key(0, 0, true, "d") } })).Ok();
        Assert.Equal(4, (await alice.Get($"{Path}/version/1")).Ok()["count"].GetInt32());

        Assert.Equal(2, (await alice.Get($"{Path}/keys?version=1")).Ok()["rooms"].EnumerateObject().Count());
        Assert.Equal("b", (await alice.Get($"{Path}/keys/{ApiClient.Esc(Room)}?version=1")).Ok()["sessions"].At("s2").String("session_data.x"));
        Assert.Equal(5, (await alice.Get($"{Path}/keys/{ApiClient.Esc(Room)}/s1?version=1")).Ok()["first_message_index"].GetInt32());
        (await alice.Get($"{Path}/keys/{ApiClient.Esc(Room)}/none?version=1")).Refused(404, "M_NOT_FOUND");
        Assert.Empty((await alice.Get($"{Path}/keys/{ApiClient.Esc("!none:example.org")}?version=1")).Ok()["sessions"].EnumerateObject());

        Assert.Equal(3, (await alice.Delete($"{Path}/keys/{ApiClient.Esc(Room)}/s1?version=1")).Ok()["count"].GetInt32());
        Assert.Equal(1, (await alice.Delete($"{Path}/keys/{ApiClient.Esc(Room)}?version=1")).Ok()["count"].GetInt32());
        Assert.Equal(0, (await alice.Delete($"{Path}/keys?version=1")).Ok()["count"].GetInt32());
        Assert.Empty((await alice.Get($"{Path}/keys?version=1")).Ok()["rooms"].EnumerateObject());
    }

    [Fact]
    public async Task A_key_is_replaced_by_a_better_one_only()
    {
        var alice = await server.NewUser();
        await Create(alice);
        var etag = "";
        foreach (var (key, kept, changes) in new[]
        {
            (Key(5, 5, false, "first"), "first", true),
            (Key(6, 0, false, "later index"), "first", false),
            (Key(5, 5, false, "the same"), "first", false),
            (Key(5, 4, false, "less forwarded"), "less forwarded", true),
            (Key(4, 9, false, "earlier index"), "earlier index", true),
            (Key(9, 9, true, "verified"), "verified", true),
            (Key(0, 0, false, "unverified"), "verified", false),
        })
        {
            var reply = (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=1", key)).Ok();
            Assert.Equal(1, reply["count"].GetInt32());
            Assert.Equal(changes, reply.String("etag") != etag);
            etag = reply.String("etag");
            Assert.Equal(kept, (await alice.Get($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=1")).Ok().String("session_data.x"));
        }
    }

    [Fact]
    public async Task Only_the_newest_version_takes_keys_and_others_see_nothing_of_it()
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        await Create(alice);
        await Create(alice);
        var refused = (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=1", Key(0, 0, true, "x"))).Refused(403, "M_WRONG_ROOM_KEYS_VERSION");
        Assert.Equal("2", refused.String("current_version"));
        (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=2", Key(0, 0, true, "x"))).Ok();
        (await bob.Get($"{Path}/keys?version=2")).Refused(404, "M_NOT_FOUND");
        (await bob.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=2", Key(0, 0, true, "x"))).Refused(404, "M_NOT_FOUND");
        (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s", Key(0, 0, true, "x"))).Refused(400, "M_MISSING_PARAM");
        (await alice.Put($"{Path}/keys/{ApiClient.Esc(Room)}/s?version=2", new { is_verified = true })).Refused(400, "M_MISSING_PARAM");
        (await alice.Put($"{Path}/keys?version=2", new { rooms = new[] { 1 } })).Refused(400, "M_BAD_JSON");
    }

    static async Task<string> Create(User user) =>
        (await user.Post($"{Path}/version", new { algorithm = Algorithm, auth_data = new { public_key = "key" } })).Ok().String("version");

    static JsonElement Key(int index, int forwarded, bool verified, string data) => JsonSerializer.SerializeToElement(
        new { first_message_index = index, forwarded_count = forwarded, is_verified = verified, session_data = new { x = data } });
}
