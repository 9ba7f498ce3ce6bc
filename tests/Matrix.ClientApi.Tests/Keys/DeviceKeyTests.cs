namespace Matrix.ClientApi.Tests.Keys;

public sealed class DeviceKeyTests(MatrixServer server)
{
    [Fact]
    public async Task Uploaded_keys_are_shown_with_the_devices_name()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.User.Put($"{KeyUser.V3}/devices/{alice.Device}", new { display_name = "Alice's phone" })).Ok();
        var reply = (await bob.Query(alice.Id, bob.Id, "@nobody:" + server.ServerName)).Ok();
        var keys = reply["device_keys"].At(alice.Id).At(alice.Device);
        Assert.Equal(alice.DeviceKey.VerifyKey.ToString(), keys.At("keys").String($"ed25519:{alice.Device}"));
        Assert.True(keys.At("signatures").At(alice.Id).TryGetProperty($"ed25519:{alice.Device}", out _));
        Assert.Equal("Alice's phone", keys.String("unsigned.device_display_name"));
        Assert.Empty(reply["device_keys"].At("@nobody:" + server.ServerName).EnumerateObject());
        Assert.Empty(reply["failures"].EnumerateObject());
        var one = (await bob.User.Post($"{KeyUser.V3}/keys/query", new { device_keys = new Dictionary<string, string[]> { [alice.Id] = ["ELSE"] } })).Ok();
        Assert.Empty(one["device_keys"].At(alice.Id).EnumerateObject());
    }

    [Fact]
    public async Task Keys_of_another_server_are_a_failure_not_an_empty_list()
    {
        using var alice = await KeyUser.Create(server);
        var reply = (await alice.Query("@bob:elsewhere.example")).Ok();
        Assert.Empty(reply["device_keys"].EnumerateObject());
        Assert.True(reply["failures"].TryGetProperty("elsewhere.example", out _));
        var claimed = (await alice.User.Post($"{KeyUser.V3}/keys/claim", new
        {
            one_time_keys = new Dictionary<string, object> { ["@bob:elsewhere.example"] = new Dictionary<string, string> { ["X"] = KeyUser.Signed } },
        })).Ok();
        Assert.True(claimed["failures"].TryGetProperty("elsewhere.example", out _));
    }

    [Fact]
    public async Task Keys_of_somebody_else_are_refused()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.User.Post($"{KeyUser.V3}/keys/upload", new { device_keys = bob.DeviceKeys() })).Refused(400, "M_INVALID_PARAM");
        (await alice.User.Post($"{KeyUser.V3}/keys/upload", new { one_time_keys = new { nonsense = "x" } })).Refused(400, "M_INVALID_PARAM");
        (await alice.User.Post($"{KeyUser.V3}/keys/upload", new { one_time_keys = new[] { 1 } })).Refused(400, "M_BAD_JSON");
        (await alice.User.Post($"{KeyUser.V3}/keys/query", new { device_keys = new[] { alice.Id } })).Refused(400, "M_BAD_JSON");
        (await alice.User.Post($"{KeyUser.V3}/keys/query", new { })).Refused(400, "M_MISSING_PARAM");
    }

    [Fact]
    public async Task One_time_keys_are_counted_and_given_out_once_each_oldest_first()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        Assert.Equal(1, (await alice.UploadOneTime("A"))["one_time_key_counts"].At(KeyUser.Signed).GetInt64());
        Assert.Equal(2, (await alice.UploadOneTime("A", "B"))["one_time_key_counts"].At(KeyUser.Signed).GetInt64());
        (await alice.User.Post($"{KeyUser.V3}/keys/upload", new { one_time_keys = new Dictionary<string, object> { ["signed_curve25519:A"] = new { key = "other" } } }))
            .Refused(400, "M_INVALID_PARAM");
        var since = await alice.User.Sync();
        Assert.Equal(2, KeyUser.Count(since));
        Assert.Equal("signed_curve25519:A", await bob.ClaimedId(alice));
        Assert.Equal("signed_curve25519:B", await bob.ClaimedId(alice));
        Assert.Null(await bob.ClaimedId(alice));
        await alice.User.SyncUntil(sync => KeyUser.Count(sync) == 0, since.NextBatch);
    }

    [Fact]
    public async Task Many_who_claim_at_once_get_different_keys()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        await alice.UploadOneTime([.. Enumerable.Range(0, 20).Select(i => $"K{i}")]);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => bob.ClaimedId(alice)));
        Assert.Equal(20, claimed.OfType<string>().Distinct().Count());
        Assert.Equal(10, claimed.Count(id => id is null));
    }

    [Fact]
    public async Task A_fallback_key_is_given_out_when_there_is_no_other_and_is_then_used()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        await alice.UploadOneTime("A");
        await alice.UploadFallback("F");
        Assert.Equal([KeyUser.Signed], Fallback(await alice.User.Sync()));
        Assert.Equal("signed_curve25519:A", await bob.ClaimedId(alice));
        Assert.Equal([KeyUser.Signed], Fallback(await alice.User.Sync()));
        Assert.Equal("signed_curve25519:F", await bob.ClaimedId(alice));
        Assert.Equal("signed_curve25519:F", await bob.ClaimedId(alice));
        Assert.Empty(Fallback(await alice.User.Sync()));
        await alice.UploadFallback("F");
        Assert.Empty(Fallback(await alice.User.Sync()));
        await alice.UploadFallback("G");
        Assert.Equal([KeyUser.Signed], Fallback(await alice.User.Sync()));
        Assert.Equal("signed_curve25519:G", await bob.ClaimedId(alice));
    }

    static List<string?> Fallback(SyncReply sync) => [.. sync.Json.At("device_unused_fallback_key_types").Items().Select(type => type.GetString())];
}
