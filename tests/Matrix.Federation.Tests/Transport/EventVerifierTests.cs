using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Transport;

/// <summary>Checks of events that need no room (Server-Server API, Checks performed on receipt of a PDU).</summary>
public sealed class EventVerifierTests(FederatedServers servers)
{
    static readonly RoomVersionRules s_rules = RoomVersions.Find("11")!;

    EventVerifier Verifier => servers.First.Services.GetRequiredService<EventVerifier>();

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static PduBuilder Message(RemoteServer remote, long? at = null) => new()
    {
        Type = "m.room.message",
        Sender = remote.User("eve"),
        RoomId = RoomId.Parse("!room:example.org"),
        Content = """{"body":"hello"}"""u8.ToArray(),
        OriginServerTs = at ?? TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    [Fact]
    public async Task A_batch_of_events_is_verified_with_one_look_at_each_servers_keys()
    {
        await using var one = await servers.NewRemote();
        await using var two = await servers.NewRemote();
        var events = Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? one : two)
            .Select(remote => remote.Build(s_rules, Message(remote)).Json).ToList();
        var verified = await Verifier.Verify(events, s_rules, Ct);
        Assert.All(verified, result => Assert.Null(result.Refusal));
        Assert.All([one, two], remote => Assert.Single(remote.Requests));
    }

    [Fact]
    public async Task A_forged_signature_is_refused()
    {
        await using var remote = await servers.NewRemote();
        using var other = SigningKey.FromSeed(remote.Key.KeyId.Version, new byte[32]);
        var forged = Message(remote).Build(s_rules, remote.Name, other);
        var good = remote.Build(s_rules, Message(remote));
        var verified = await Verifier.Verify([forged.Json, good.Json, "{}"u8.ToArray()], s_rules, Ct);
        Assert.Equal((null, forged.EventId), (verified[0].Pdu, verified[0].EventId));
        Assert.Equal(good.EventId, verified[1].Pdu!.EventId);
        Assert.NotNull(verified[2].Refusal);
    }

    [Fact]
    public async Task A_wrong_content_hash_leaves_the_redacted_event()
    {
        await using var remote = await servers.NewRemote();
        var pdu = remote.Build(s_rules, Message(remote));
        var changed = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(pdu.Json.Span).Replace("hello", "hallo", StringComparison.Ordinal));
        var verified = Assert.Single(await Verifier.Verify([changed], s_rules, Ct));
        Assert.Equal(pdu.EventId, verified.Pdu!.EventId);
        Assert.False(verified.Pdu.Content.TryGetProperty("body", out _));
    }

    [Fact]
    public async Task An_old_key_is_good_for_what_it_signed_before_it_expired()
    {
        await using var remote = await servers.NewRemote();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var before = remote.Build(s_rules, Message(remote, now - 10_000));
        var after = remote.Build(s_rules, Message(remote, now));
        remote.OldKeys[remote.Key.KeyId] = (remote.Key.VerifyKey, now - 5_000);
        remote.Key = SigningKey.Generate("next");
        var withNewKey = remote.Build(s_rules, Message(remote, now));
        var verified = await Verifier.Verify([before.Json, after.Json, withNewKey.Json], s_rules, Ct);
        Assert.Equal([true, false, true], verified.Select(result => result.Refusal == null));
        var inVersion4 = remote.Build(RoomVersions.Find("4")!, Message(remote));
        Assert.Null(Assert.Single(await Verifier.Verify([inVersion4.Json], RoomVersions.Find("4")!, Ct)).Refusal);
    }

    [Theory]
    [InlineData(false, 6, true)]
    [InlineData(false, 8, false)]
    [InlineData(true, -1, true)]
    [InlineData(true, 1, false)]
    public async Task A_key_is_relied_on_for_a_week_and_an_old_one_for_the_past_whatever_the_list_says(bool isOld, int days, bool isGood)
    {
        await using var remote = await servers.NewRemote();
        remote.KeysValidFor = TimeSpan.FromDays(3650);
        var now = TimeProvider.System.GetUtcNow();
        Pdu In(string version) => remote.Build(RoomVersions.Find(version)!, Message(remote, now.AddDays(days).ToUnixTimeMilliseconds()));
        var (enforced, inVersion4) = (In("11"), In("4"));
        if (isOld)
        {
            remote.OldKeys[remote.Key.KeyId] = (remote.Key.VerifyKey, now.AddDays(3650).ToUnixTimeMilliseconds());
            remote.Key = SigningKey.Generate("next");
        }
        Assert.Equal(isGood, Assert.Single(await Verifier.Verify([enforced.Json], s_rules, Ct)).Refusal == null);
        Assert.Null(Assert.Single(await Verifier.Verify([inVersion4.Json], RoomVersions.Find("4")!, Ct)).Refusal);
    }
}
