namespace Matrix.ClientApi.Tests.Keys;

public sealed class CrossSigningTests(MatrixServer server)
{
    [Fact]
    public async Task The_first_keys_need_no_proof_the_same_again_neither_others_do()
    {
        using var alice = await KeyUser.Create(server);
        (await alice.UploadCrossSigning()).Ok();
        (await alice.UploadCrossSigning()).Ok();
        using var other = new KeyUser(alice.User);
        var asked = await alice.UploadCrossSigning(master: other.Master);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, asked.Status);
        var auth = new
        {
            type = "m.login.password", session = asked.String("session"), password = alice.User.Password,
            identifier = new { type = "m.id.user", user = alice.Id },
        };
        (await alice.UploadCrossSigning(auth, other.Master)).Ok();
        Assert.True((await alice.Query(alice.Id)).Ok()["master_keys"].At(alice.Id).At("keys").TryGetProperty($"ed25519:{other.Master.VerifyKey}", out _));
    }

    [Fact]
    public async Task Only_their_owner_sees_the_user_signing_key()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.UploadCrossSigning()).Ok();
        var own = (await alice.Query(alice.Id)).Ok();
        var others = (await bob.Query(alice.Id)).Ok();
        foreach (var reply in new[] { own, others })
        {
            Assert.True(reply["master_keys"].TryGetProperty(alice.Id, out _));
            Assert.True(reply["self_signing_keys"].At(alice.Id).At("signatures").At(alice.Id).TryGetProperty($"ed25519:{alice.Master.VerifyKey}", out _));
        }
        Assert.True(own["user_signing_keys"].TryGetProperty(alice.Id, out _));
        Assert.False(others["user_signing_keys"].TryGetProperty(alice.Id, out _));
    }

    [Fact]
    public async Task Keys_that_the_master_key_did_not_sign_are_refused()
    {
        using var alice = await KeyUser.Create(server);
        (await alice.User.Post($"{KeyUser.V3}/keys/device_signing/upload", new { self_signing_key = alice.CrossKey("self_signing", alice.SelfSigning, alice.Master) }))
            .Refused(400, "M_MISSING_PARAM");
        (await alice.User.Post($"{KeyUser.V3}/keys/device_signing/upload", new
        {
            master_key = alice.CrossKey("master", alice.Master, null),
            self_signing_key = alice.CrossKey("self_signing", alice.SelfSigning, alice.UserSigning),
        })).Refused(400, "M_INVALID_SIGNATURE");
        (await alice.User.Post($"{KeyUser.V3}/keys/device_signing/upload", new { master_key = alice.CrossKey("self_signing", alice.Master, null) }))
            .Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_signed_device_is_shown_to_all_and_a_signed_user_to_the_signer_alone()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.UploadCrossSigning()).Ok();
        (await bob.UploadCrossSigning()).Ok();
        var device = alice.Sign(alice.DeviceKeys(), alice.SelfSigning);
        var bobsMaster = alice.Sign((await alice.Query(bob.Id)).Ok()["master_keys"].At(bob.Id), alice.UserSigning);
        var reply = (await alice.User.Post($"{KeyUser.V3}/keys/signatures/upload", new Dictionary<string, object>
        {
            [alice.Id] = new Dictionary<string, object> { [alice.Device] = device },
            [bob.Id] = new Dictionary<string, object> { [bob.Master.VerifyKey.ToString()] = bobsMaster },
        })).Ok();
        Assert.Empty(reply["failures"].EnumerateObject());

        var seen = (await bob.Query(alice.Id, bob.Id)).Ok();
        Assert.True(seen["device_keys"].At(alice.Id).At(alice.Device).At("signatures").At(alice.Id).TryGetProperty($"ed25519:{alice.SelfSigning.VerifyKey}", out _));
        Assert.False(seen["master_keys"].At(bob.Id).At("signatures").TryGetProperty(alice.Id, out _));
        var own = (await alice.Query(bob.Id)).Ok();
        Assert.True(own["master_keys"].At(bob.Id).At("signatures").At(alice.Id).TryGetProperty($"ed25519:{alice.UserSigning.VerifyKey}", out _));
    }

    [Fact]
    public async Task The_master_key_can_be_signed_by_a_device_and_other_signatures_are_failures()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.UploadCrossSigning()).Ok();
        var master = alice.Sign(alice.CrossKey("master", alice.Master, null), alice.DeviceKey);
        (await alice.User.Post($"{KeyUser.V3}/keys/signatures/upload", Of(alice.Id, alice.Master.VerifyKey.ToString(), master))).Ok();
        Assert.True((await bob.Query(alice.Id)).Ok()["master_keys"].At(alice.Id).At("signatures").At(alice.Id).TryGetProperty($"ed25519:{alice.Device}", out _));

        var wrong = alice.Sign(alice.DeviceKeys(), alice.UserSigning);
        var refused = (await alice.User.Post($"{KeyUser.V3}/keys/signatures/upload", Of(alice.Id, alice.Device, wrong))).Ok();
        Assert.Equal("M_INVALID_SIGNATURE", refused["failures"].At(alice.Id).At(alice.Device).String("errcode"));
        var unknown = (await alice.User.Post($"{KeyUser.V3}/keys/signatures/upload", Of(bob.Id, "nothing", wrong))).Ok();
        Assert.Equal("M_NOT_FOUND", unknown["failures"].At(bob.Id).At("nothing").String("errcode"));
    }

    static Dictionary<string, object> Of(string user, string key, object signed) => new() { [user] = new Dictionary<string, object> { [key] = signed } };
}
