using System.Net;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Inbound;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Policy;

/// <summary>Rooms with a policy server (Server-Server API, Policy Servers): a scripted one, which signs what does not say spam.</summary>
public sealed class PolicyServerTests(FederatedServers all) : RemoteRoomTests(all)
{
    const string Sign = "/_matrix/policy/v1/sign";
    static readonly SigningKey Key = SigningKey.Generate("policy_server");

    RemoteMember guard = null!;

    RemoteServer Policy => remote;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Policy.On(HttpMethod.Post, Sign, request => System.Text.Encoding.UTF8.GetString(request.Body).Contains("spam", StringComparison.Ordinal)
            ? RemoteAnswer.Error(HttpStatusCode.BadRequest, "M_FORBIDDEN", "That looks like spam.") : Signature(request.Body));
    }

    [Fact]
    public async Task Our_events_are_signed_by_it_before_they_are_sent_and_what_it_refuses_is_not()
    {
        await UsePolicy();
        var sent = await alice.Say(room, "hello");
        Assert.True(IsSigned((await guard.Stored(EventId.Parse(sent.EventId)))!.Json));
        var refused = (await alice.TrySend(room, "m.room.message", User.Text("spam"))).Refused(400, "M_FORBIDDEN");
        Assert.Equal("That looks like spam.", refused.String("error"));
        Assert.DoesNotContain("spam", (await alice.Messages(room, limit: 50)).Text, StringComparison.Ordinal);
        // state and memberships too, but not what names the policy server
        (await alice.TrySetState(room, "m.room.topic", new { topic = "spam" })).Refused(400, "M_FORBIDDEN");
        (await (await servers.First.NewUser()).Post($"/_matrix/client/v3/join/{ApiClient.Esc(room)}", new { reason = "spam" })).Refused(400, "M_FORBIDDEN");
        Policy.On(HttpMethod.Post, Sign, _ => RemoteAnswer.Error(HttpStatusCode.Forbidden, "M_UNKNOWN_TOKEN"));
        (await alice.TrySend(room, "m.room.message", User.Text("no"))).Refused(403, "M_FORBIDDEN");
        await alice.SetState(room, "m.room.policy", new { });
        await alice.Say(room, "spam");
    }

    [Fact]
    public async Task A_server_without_a_user_in_the_room_is_not_asked()
    {
        await alice.SetState(room, "m.room.policy", Content());
        await alice.Say(room, "spam");
        Assert.DoesNotContain(Policy.Requests, request => request.Path == Sign);
    }

    [Fact]
    public async Task One_that_signs_by_another_key_or_breaks_off_stops_sending_at_once_until_it_is_well()
    {
        await UsePolicy();
        var other = SigningKey.Generate("policy_server");
        Policy.On(HttpMethod.Post, Sign, request => Signature(request.Body, other));
        (await alice.TrySend(room, "m.room.message", User.Text("x"))).Refused(403, "M_FORBIDDEN");
        Policy.On(HttpMethod.Post, Sign, (_, context) =>
        {
            context.Abort();
            return Task.FromResult<object?>(null);
        });
        (await alice.TrySend(room, "m.room.message", User.Text("x"))).Refused(504, "M_UNKNOWN");
        var (asked, began) = (Policy.Requests.Count(request => request.Path == Sign), TimeProvider.System.GetTimestamp());
        (await alice.TrySend(room, "m.room.message", User.Text("x"))).Refused(504, "M_UNKNOWN");
        // on a machine so busy that the pause is over it may be asked again
        Assert.True(asked == Policy.Requests.Count(request => request.Path == Sign) || TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Events_of_others_are_asked_for_if_they_are_not_signed_and_fail_softly_if_it_refuses()
    {
        await UsePolicy();
        var signed = await guard.Text("signed");
        signed = EventSignatures.AddSignature(signed, Policy.Name, Key.KeyId, RawSignature(signed.Json, Key));
        var asked = Policy.Requests.Count;
        Assert.Null(await guard.Send(signed));
        await guard.Arrived(signed.EventId);
        Assert.DoesNotContain(Policy.Requests.Skip(asked), request => request.Path == Sign);
        var unsigned = await guard.Text("unsigned");
        Assert.Null(await guard.Send(unsigned));
        Assert.True(IsSigned((await guard.Arrived(unsigned.EventId)).Json));
        var spam = await guard.Text("spam");
        await guard.Send(spam);
        Assert.True((await guard.Arrived(spam.EventId)).SoftFailed);
        var forged = await guard.Text("more spam");
        forged = EventSignatures.AddSignature(forged, Policy.Name, Key.KeyId, RawSignature(signed.Json, Key));
        await guard.Send(forged);
        Assert.True((await guard.Arrived(forged.EventId)).SoftFailed);
        var bodies = (await alice.Messages(room, limit: 50))["chunk"].Items().Bodies();
        Assert.Equal(["unsigned", "signed"], bodies);
    }

    [Fact]
    public async Task Events_of_one_transaction_are_judged_one_by_one()
    {
        await UsePolicy();
        Pdu[] events = [await guard.Text("first"), null!, null!, null!];
        foreach (var (i, body) in new[] { "spam", "second", "third" }.Index())
            events[i + 1] = await guard.Text(body, prev: [events[i].EventId]);
        var answer = (await guard.Put(pdus: events)).Ok()["pdus"];
        Assert.All(events, pdu => Assert.False(answer.GetProperty(pdu.EventId.ToString()).TryGetProperty("error", out _)));
        foreach (var (i, pdu) in events.Index())
        {
            var stored = await guard.Arrived(pdu.EventId);
            Assert.Equal((i == 1, i != 1), (stored.SoftFailed, IsSigned(stored.Json)));
        }
        Assert.Equal(["third", "second", "first"], (await alice.Messages(room, limit: 50))["chunk"].Items().Bodies());
    }

    async Task UsePolicy()
    {
        guard = await RemoteMember.Join(servers.First, Policy, room, "guard");
        await alice.SetState(room, "m.room.policy", Content());
    }

    object Content() => new { via = Policy.Name.ToString(), public_keys = new { ed25519 = Key.VerifyKey.ToString() } };

    Dictionary<string, Dictionary<string, string>> Signature(byte[] pdu, SigningKey? key = null) => new()
    {
        [Policy.Name.ToString()] = new() { ["ed25519:policy_server"] = UnpaddedBase64.Encode(RawSignature(pdu, key ?? Key)) },
    };

    byte[] RawSignature(ReadOnlyMemory<byte> pdu, SigningKey key)
    {
        var signed = EventSignatures.AddSignature(Pdu.Parse(pdu, guard.Room.Rules), Policy.Name, key);
        return UnpaddedBase64.Decode(JsonElement.Parse(signed.Json.Span).At("signatures").At(Policy.Name.ToString()).String(key.KeyId.ToString()))!;
    }

    bool IsSigned(ReadOnlyMemory<byte> json) => EventSignatures.Verify(json.Span, guard.Room.Rules, Policy.Name, id => id == Key.KeyId ? Key.VerifyKey : null);
}
