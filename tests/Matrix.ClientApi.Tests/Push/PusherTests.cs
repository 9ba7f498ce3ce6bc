using System.Text.Json;

namespace Matrix.ClientApi.Tests.Push;

/// <summary>Setting and reading pushers. What they deliver is tested in Matrix.Pusher.Tests.</summary>
public sealed class PusherTests(MatrixServer server)
{
    const string Set = "/_matrix/client/v3/pushers/set", List = "/_matrix/client/v3/pushers";

    [Fact]
    public async Task A_pusher_is_read_as_it_was_set()
    {
        var alice = await server.NewUser();
        (await alice.Post(Set, Pusher("key", data: new { url = Gateway, format = "event_id_only", custom = new[] { 1 } }))).Ok();

        var pusher = Assert.Single(await Pushers(alice));
        Assert.Equal(("key", "http", "org.example.app"), (pusher.String("pushkey"), pusher.String("kind"), pusher.String("app_id")));
        Assert.Equal(("App", "Phone", "tag", "en"), (pusher.String("app_display_name"), pusher.String("device_display_name"),
            pusher.String("profile_tag"), pusher.String("lang")));
        Assert.Equal((Gateway, "event_id_only", 1), (pusher.String("data.url"), pusher.String("data.format"), pusher.At("data.custom")[0].GetInt32()));
        Assert.True(pusher.At("org.matrix.msc3881.enabled").GetBoolean());
        Assert.Equal(alice.DeviceId, pusher.String("org.matrix.msc3881.device_id"));
    }

    [Fact]
    public async Task The_same_app_and_key_are_the_same_pusher()
    {
        var alice = await server.NewUser();
        (await alice.Post(Set, Pusher("key", lang: "en"))).Ok();
        (await alice.Post(Set, Pusher("key", lang: "de"))).Ok();
        (await alice.Post(Set, Pusher("another"))).Ok();

        Assert.Equal(["key de", "another en"], (await Pushers(alice)).Select(p => $"{p.String("pushkey")} {p.String("lang")}"));
    }

    [Fact]
    public async Task A_kind_of_null_deletes_a_pusher()
    {
        var alice = await server.NewUser();
        (await alice.Post(Set, Pusher("key"))).Ok();
        (await alice.Post(Set, new { kind = (string?)null, app_id = "org.example.app", pushkey = "key" })).Ok();
        (await alice.Post(Set, new { kind = (string?)null, app_id = "org.example.app", pushkey = "key" })).Ok();

        Assert.Empty(await Pushers(alice));
    }

    [Fact]
    public async Task A_key_belongs_to_who_set_it_last_unless_it_is_appended()
    {
        var (alice, bob, carol) = (await server.NewUser(), await server.NewUser(), await server.NewUser());
        var key = $"shared {Guid.NewGuid()}";
        (await alice.Post(Set, Pusher(key))).Ok();
        (await bob.Post(Set, Pusher(key, append: true))).Ok();
        Assert.Single(await Pushers(alice));
        Assert.Single(await Pushers(bob));

        (await carol.Post(Set, Pusher(key))).Ok();
        Assert.Empty(await Pushers(alice));
        Assert.Empty(await Pushers(bob));
        Assert.Single(await Pushers(carol));
    }

    [Fact]
    public async Task A_pusher_goes_with_its_device()
    {
        var alice = await server.NewUser();
        var (phone, tablet) = (await alice.NewDevice(), await alice.NewDevice());
        (await alice.Post(Set, Pusher("desk"))).Ok();
        (await phone.Post(Set, Pusher("phone"))).Ok();
        (await tablet.Post(Set, Pusher("tablet"))).Ok();

        (await phone.Post("/_matrix/client/v3/logout")).Ok();
        Assert.Equal(["desk", "tablet"], (await Pushers(alice)).Select(p => p.String("pushkey")));

        var identifier = new { type = "m.id.user", user = alice.UserId };
        var session = (await alice.Post("/_matrix/client/v3/account/password", new { new_password = "another long password" })).String("session");
        (await alice.Post("/_matrix/client/v3/account/password", new
        {
            new_password = "another long password", auth = new { type = "m.login.password", identifier, password = alice.Password, session },
        })).Ok();
        Assert.Equal(["desk"], (await Pushers(alice)).Select(p => p.String("pushkey")));
    }

    [Fact]
    public async Task A_pusher_has_to_be_complete_and_sound()
    {
        var alice = await server.NewUser();
        object[] missing =
        [
            new { app_id = "a", pushkey = "k" }, new { kind = "http", app_id = "a" },
            new { kind = "http", app_id = "a", pushkey = "k", app_display_name = "A", device_display_name = "D", data = new { url = Gateway } },
            new { kind = "http", app_id = "a", pushkey = "k", app_display_name = "A", device_display_name = "D", lang = "en" }, Pusher("k", data: new { }),
        ];
        foreach (var body in missing)
            (await alice.Post(Set, body)).Refused(400, "M_MISSING_PARAM");
        object[] bad =
        [
            Pusher("k", appId: new string('a', 65)), Pusher(new string('k', 513)), Pusher(""), Pusher("k", kind: "pigeon"), Pusher("k", lang: new string('e', 2000)),
        ];
        foreach (var body in bad)
            (await alice.Post(Set, body)).Refused(400, "M_INVALID_PARAM");
        Assert.Empty(await Pushers(alice));
    }

    [Theory]
    [InlineData("https://push.example.org/notify")]
    [InlineData("https://push.example.org/_matrix/push/v1/notify/more")]
    [InlineData("https://user:word@push.example.org/_matrix/push/v1/notify")]
    [InlineData("file:///_matrix/push/v1/notify")]
    [InlineData("no url")]
    public async Task A_gateway_is_reached_by_HTTPS_at_the_one_path(string url)
    {
        var alice = await server.NewUser();
        (await alice.Post(Set, Pusher("k", data: new { url }))).Refused(400, "M_INVALID_PARAM");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_gateway_without_TLS_has_to_be_allowed(bool allowed)
    {
        await using var own = await MatrixServer.Start(configuration => configuration["push:allow_insecure_gateways"] = $"{allowed}");
        var alice = await own.NewUser();
        var reply = await alice.Post(Set, Pusher("k", data: new { url = "http://push.example.org/_matrix/push/v1/notify" }));
        if (allowed)
            reply.Ok();
        else
            reply.Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_user_has_a_limited_number_of_pushers()
    {
        var alice = await server.NewUser();
        for (var i = 0; i < 50; i++)
            (await alice.Post(Set, Pusher($"key {i}"))).Ok();
        (await alice.Post(Set, Pusher("one more"))).Refused(400, "M_INVALID_PARAM");
        (await alice.Post(Set, Pusher("key 7"))).Ok();
    }

    const string Gateway = "https://push.example.org/_matrix/push/v1/notify";

    static async Task<IReadOnlyList<JsonElement>> Pushers(User user) => (await user.Get(List)).Ok()["pushers"].Items();

    static object Pusher(
        string pushkey, object? data = null, string lang = "en", bool append = false, string appId = "org.example.app", string kind = "http") => new
    {
        kind, app_id = appId, pushkey, app_display_name = "App", device_display_name = "Phone", profile_tag = "tag", lang,
        data = data ?? new { url = Gateway }, append,
    };
}
