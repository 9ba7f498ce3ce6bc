namespace Matrix.ClientApi.Tests.Accounts;

public sealed class DiscoveryTests(MatrixServer server)
{
    [Fact]
    public async Task Clients_find_a_version_they_know()
    {
        var versions = (await server.Anonymous.Get("/_matrix/client/versions")).Ok()["versions"].Items().Select(v => v.GetString());
        Assert.Contains("v1.1", versions);
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
