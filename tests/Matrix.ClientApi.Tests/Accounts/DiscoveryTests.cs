namespace Matrix.ClientApi.Tests.Accounts;

public sealed class DiscoveryTests(MatrixServer server)
{
    // Each with where its tests are; one that is not here may not be listed.
    static readonly Dictionary<string, string> Features = new()
    {
        ["org.matrix.e2e_cross_signing"] = nameof(Keys.CrossSigningTests),
        ["org.matrix.msc2285.stable"] = nameof(Sync.ReceiptTests),
        ["org.matrix.msc3026.busy_presence"] = nameof(Presence.PresenceBoardTests),
        ["org.matrix.msc3440.stable"] = nameof(History.RelationTests),
        ["org.matrix.msc3771"] = nameof(Sync.ReceiptTests),
        ["org.matrix.msc3773"] = nameof(Sync.UnreadTests),
        ["org.matrix.msc3881"] = nameof(Push.PusherTests),
        ["org.matrix.msc3916.stable"] = nameof(Media.MediaTests),
        ["org.matrix.msc3952_intentional_mentions"] = nameof(PushRuleTests),
        ["org.matrix.msc3981"] = nameof(History.RelationTests),
        ["org.matrix.msc4140"] = nameof(Delayed.DelayedEventTests),
        ["org.matrix.msc4143"] = nameof(ShortTokenTests),
        ["org.matrix.msc4222"] = nameof(Sync.SyncTests),
        ["org.matrix.msc4306"] = nameof(Threads.ThreadSubscriptionTests),
        ["org.matrix.msc4380"] = nameof(Moderation.ModerationTests),
        ["org.matrix.msc4380.stable"] = nameof(Moderation.ModerationTests),
        ["org.matrix.simplified_msc3575"] = nameof(Sync.Sliding.SlidingListTests),
        ["uk.half-shot.msc2666.query_mutual_rooms"] = nameof(Spaces.SpaceTests),
        ["uk.half-shot.msc2666.query_mutual_rooms.stable"] = nameof(Spaces.SpaceTests),
        ["uk.tcpip.msc4133.stable"] = nameof(ProfileTests),
        ["uk.timedout.msc4323"] = nameof(Moderation.ModerationTests),
    };

    [Fact]
    public async Task Versions_are_listed_up_to_the_newest_and_no_feature_without_a_test()
    {
        var answer = (await server.Anonymous.Get("/_matrix/client/versions")).Ok();
        Assert.Equal(Enumerable.Range(1, 19).Select(minor => $"v1.{minor}"), answer["versions"].Items().Select(v => v.GetString()));
        var features = answer["unstable_features"].EnumerateObject().ToDictionary(feature => feature.Name, feature => feature.Value.GetBoolean());
        Assert.Equal(Features.Keys.Order(StringComparer.Ordinal), features.Keys.Order(StringComparer.Ordinal));
        Assert.All(features.Values, Assert.True);
    }

    [Fact]
    public async Task Well_known_says_where_the_server_is_and_whom_to_ask_when_the_operator_did()
    {
        await using var known = await MatrixServer.Start(configuration =>
        {
            configuration["public_baseurl"] = "https://matrix.test.example/";
            configuration["admin_contact"] = "admin@test.example";
        });
        var client = (await known.Anonymous.Get("/.well-known/matrix/client")).Ok();
        Assert.Equal("https://matrix.test.example/", client.Json.GetProperty("m.homeserver").String("base_url"));
        var support = (await known.Anonymous.Get("/.well-known/matrix/support")).Ok();
        Assert.Equal("admin@test.example", support["contacts"][0].String("email_address"));

        await using var silent = await MatrixServer.Start(_ => { });
        (await silent.Anonymous.Get("/.well-known/matrix/client")).Refused(404, "M_NOT_FOUND");
        (await silent.Anonymous.Get("/.well-known/matrix/support")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Capabilities_are_for_users()
    {
        (await server.Anonymous.Get("/_matrix/client/v3/capabilities")).Refused(401, "M_MISSING_TOKEN");
        var capabilities = (await (await server.NewUser()).Get("/_matrix/client/v3/capabilities")).Ok()["capabilities"];
        Assert.True(capabilities.At("m.change_password").At("enabled").GetBoolean());
        Assert.Equal("stable", capabilities.At("m.room_versions").At("available").String("12"));
    }
}
