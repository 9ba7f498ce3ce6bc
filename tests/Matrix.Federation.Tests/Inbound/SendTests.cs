using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>Events that another server sends (Server-Server API, Transactions, and Checks performed on receipt of a PDU).</summary>
public sealed class SendTests(FederatedServers all) : RemoteMemberTests(all)
{
    [Fact]
    public async Task What_another_server_sends_reaches_clients_in_its_order()
    {
        var before = await alice.Sync();
        var chain = await eve.Chain(20);
        var answer = (await eve.Put(pdus: chain)).Ok()["pdus"];
        Assert.All(chain, pdu => Assert.False(answer.GetProperty(pdu.EventId.ToString()).TryGetProperty("error", out _)));
        var sync = await alice.SyncUntil(sync => sync.Json.ToString().Contains("link 19", StringComparison.Ordinal), before.NextBatch,
            new { room = new { timeline = new { limit = 50 } } });
        var timeline = sync.Json.GetProperty("rooms").GetProperty("join").GetProperty(room).GetProperty("timeline").GetProperty("events");
        Assert.Equal(chain.Select(pdu => pdu.EventId.ToString()), timeline.EnumerateArray().Select(e => e.GetProperty("event_id").GetString()));
    }

    [Fact]
    public async Task A_transaction_that_comes_again_gets_the_same_answer_and_does_nothing()
    {
        var (first, second) = (await eve.Text("first"), await eve.Text("second"));
        var answer = (await eve.Put("again", first)).Ok();
        var again = (await eve.Put("again", second)).Ok();
        Assert.Equal(answer.Text, again.Text);
        Assert.Null(await eve.Stored(second.EventId));
        // the same event in another transaction changes nothing either
        Assert.Null(await eve.Send(first));
        Assert.Single((await alice.Messages(room, limit: 50))["chunk"].EnumerateArray(), e => e.GetProperty("event_id").GetString() == first.EventId.ToString());
    }

    [Fact]
    public async Task Who_sends_transactions_and_goes_away_has_few_of_them_worked_on()
    {
        await using var server = await servers.Start(configuration => configuration["rc_federation:concurrent"] = "1");
        var owner = await server.NewUser();
        var member = await RemoteMember.Join(server, remote, await owner.CreatePublicRoom());
        var open = new TaskCompletionSource();
        var abandoned = new List<string>();
        await using var one = await servers.NewRemote();
        await using var two = await servers.NewRemote();
        foreach (var silent in new[] { one, two })
        {
            // an event that waits for the keys of its sender's server
            silent.On(HttpMethod.Get, "/_matrix/key/", async (_, _) => { await open.Task; return silent.KeyList(); });
            var pdu = EventSignatures.AddSignature(await member.Build("m.room.message", new { body = "x" }, sender: silent.User("x")), silent.Name, silent.Key);
            using var away = new CancellationTokenSource();
            abandoned.Add($"abandoned-{silent.Name.Port}");
            var sending = remote.Send(server, HttpMethod.Put, $"/_matrix/federation/v1/send/{abandoned[^1]}", new { pdus = new[] { JsonElement.Parse(pdu.Json.Span) } }, ct: away.Token);
            await silent.Asked(_ => true);
            await away.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }
        (await member.Put()).Refused(429, "M_LIMIT_EXCEEDED");
        open.SetResult();
        await Eventually.True("they are done with", async () => (await member.Put()).Status == HttpStatusCode.OK);
        foreach (var id in abandoned)
            (await member.Put(id)).Ok();
    }

    [Fact]
    public async Task A_process_that_is_told_to_stop_finishes_the_transactions_under_way()
    {
        await using var server = await servers.Start(configuration => configuration["shutdown_drain"] = "0");
        var owner = await server.NewUser();
        var member = await RemoteMember.Join(server, remote, await owner.CreatePublicRoom());
        var open = new TaskCompletionSource();
        await using var slow = await servers.NewRemote();
        slow.On(HttpMethod.Get, "/_matrix/key/", async (_, _) => { await open.Task; return slow.KeyList(); });
        var pdu = EventSignatures.AddSignature(await member.Build("m.room.message", new { body = "x" }, sender: slow.User("x")), slow.Name, slow.Key);
        var sending = remote.Send(server, HttpMethod.Put, "/_matrix/federation/v1/send/last", new { pdus = new[] { JsonElement.Parse(pdu.Json.Span) } });
        await slow.Asked(_ => true);
        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        open.SetResult();
        (await sending).Ok();
    }

    [Fact]
    public async Task A_transaction_has_at_most_50_events_and_100_edus_and_is_its_senders()
    {
        var pdu = JsonElement.Parse((await eve.Text("many")).Json.Span);
        (await eve.PutRaw("51", [.. Enumerable.Repeat(pdu, 51)])).Refused(400, "M_BAD_JSON");
        (await remote.Put(servers.First, "/_matrix/federation/v1/send/101", new { origin = remote.Name.ToString(), edus = Enumerable.Repeat(new { edu_type = "m.x" }, 101) }))
            .Refused(400, "M_BAD_JSON");
        (await remote.Put(servers.First, "/_matrix/federation/v1/send/other", new { origin = "other.example", pdus = new[] { pdu } })).Refused(403, "M_FORBIDDEN");
        Assert.Null(await eve.Stored(Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(pdu), eve.Room.Rules).EventId));
    }

    [Fact]
    public async Task An_event_with_a_forged_signature_or_of_another_servers_user_is_refused_and_the_others_are_taken()
    {
        var (good, forged) = (await eve.Text("good"), await eve.Text("forged"));
        var json = JsonNode.Parse(forged.Json.Span)!;
        var signature = json["signatures"]![remote.Name.ToString()]!.AsObject().Single();
        json["signatures"]![remote.Name.ToString()]![signature.Key] = new string('A', 86);
        var stolen = await eve.Build("m.room.message", new { body = "not hers" }, sender: UserId.Parse(alice.UserId));
        var answer = (await eve.PutRaw(null, json.Deserialize<JsonElement>(), JsonElement.Parse(stolen.Json.Span), JsonElement.Parse(good.Json.Span))).Ok()["pdus"];
        Assert.Contains("signature", answer.GetProperty(forged.EventId.ToString()).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("signature", answer.GetProperty(stolen.EventId.ToString()).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.NotNull(await eve.Stored(good.EventId));
        Assert.Null(await eve.Stored(forged.EventId));
        Assert.Null(await eve.Stored(stolen.EventId));
    }

    [Fact]
    public async Task An_event_whose_hash_is_wrong_is_taken_redacted()
    {
        var json = JsonNode.Parse((await eve.Text("changed on the way")).Json.Span)!;
        json["content"]!["body"] = "something else";
        var changed = Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(json), eve.Room.Rules);
        (await eve.PutRaw(null, json.Deserialize<JsonElement>())).Ok();
        Assert.Empty((await alice.Event(room, changed.EventId.ToString())).GetProperty("content").EnumerateObject());
    }

    [Fact]
    public async Task An_event_of_a_megabyte_is_refused_and_so_is_what_is_no_event_and_what_is_of_a_room_that_is_not_known()
    {
        var large = JsonNode.Parse((await eve.Text("large")).Json.Span)!;
        large["content"]!["body"] = new string('x', 1 << 20);
        var unknown = JsonNode.Parse((await eve.Text("elsewhere")).Json.Span)!;
        unknown["room_id"] = "!nowhere:other.example";
        var good = await eve.Text("good");
        var answer = (await eve.PutRaw(null, large.Deserialize<JsonElement>(), unknown.Deserialize<JsonElement>(), JsonElement.Parse("3"),
            JsonElement.Parse($$"""{"room_id":"{{room}}"}"""), JsonElement.Parse(good.Json.Span))).Ok()["pdus"];
        Assert.False(answer.GetProperty(good.EventId.ToString()).TryGetProperty("error", out _));
        Assert.Single((await alice.Messages(room, limit: 50))["chunk"].EnumerateArray(), e => e.GetProperty("type").GetString() == "m.room.message");
    }

    [Fact]
    public async Task What_the_rules_forbid_is_rejected_and_what_they_forbid_by_now_is_seen_by_nobody()
    {
        var banned = await eve.Text("from before the ban", prev: [(await eve.Head()).Extremities[0].EventId]);
        Assert.NotNull(await eve.Send(await eve.Build("m.room.name", new { name = "Eve's" }, "")));
        (await alice.Post($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/ban", new { user_id = eve.User.ToString() })).Ok();
        Assert.Null(await eve.Send(banned));
        Assert.True((await eve.Stored(banned.EventId))!.SoftFailed);
        Assert.DoesNotContain((await alice.Messages(room, limit: 50))["chunk"].EnumerateArray(), e => e.GetProperty("type").GetString() is "m.room.message" or "m.room.name");
    }

    [Fact]
    public async Task A_server_that_the_rooms_access_control_list_denies_is_refused()
    {
        await alice.SetState(room, "m.room.server_acl", new { allow = new[] { "*" }, deny = new[] { "localhost" } });
        var denied = await eve.Text("denied");
        Assert.Contains("access control", await eve.Send(denied), StringComparison.Ordinal);
        Assert.Null(await eve.Stored(denied.EventId));
        (await eve.Get($"event/{Uri.EscapeDataString(denied.EventId.ToString())}")).Refused(404, "M_NOT_FOUND");
        (await eve.Get($"backfill/{Uri.EscapeDataString(room)}?v={Uri.EscapeDataString(denied.EventId.ToString())}&limit=1")).Refused(403, "M_FORBIDDEN");
    }

    [Fact]
    public async Task Our_own_events_are_taken_back_from_others_though_they_could_not_be_sent_today()
    {
        var own = servers.First.Services.GetRequiredService<ServerSigningKey>();
        var root = (await alice.Say(room, "root")).EventId;
        var reply = (await alice.Send(room, "m.room.message", Relating("m.thread", root))).EventId;
        await alice.Send(room, "m.reaction", Relating("m.annotation", root));
        // a thread on an event that relates to another, and the same reaction once more
        foreach (var (type, content, errcode) in new[]
        {
            ("m.room.message", Relating("m.thread", reply), "M_UNKNOWN"), ("m.reaction", Relating("m.annotation", root), "M_DUPLICATE_ANNOTATION"),
        })
        {
            (await alice.TrySend(room, type, content)).Refused(400, errcode);
            var lost = EventSignatures.AddSignature(await eve.Build(type, content, sender: UserId.Parse(alice.UserId)), own.ServerName, own.Key);
            Assert.Null(await eve.Send(lost));
            Assert.NotNull((await eve.Stored(lost.EventId))?.StateBefore);
        }

        static object Relating(string how, string to) =>
            new Dictionary<string, object> { ["body"] = "x", ["msgtype"] = "m.text", ["m.relates_to"] = new { rel_type = how, event_id = to, key = "+1" } };
    }

    [Fact]
    public async Task An_invite_to_a_room_that_we_are_not_in_is_taken_back_by_whose_server_sent_it()
    {
        var (rules, elsewhere) = (RoomVersions.Find("10")!, RoomId.Parse($"!elsewhere:{remote.Name}"));
        Pdu Member(RemoteServer server, string membership) => server.Build(rules, new PduBuilder
        {
            Type = EventTypes.Member, StateKey = alice.UserId, Sender = server.User("mallory"), RoomId = elsewhere, PrevEvents = [EventId.Parse("$" + new string('p', 43))],
            Content = JsonSerializer.SerializeToUtf8Bytes(new { membership }), Depth = 9, OriginServerTs = 1,
        });
        var invite = Member(remote, "invite");
        (await remote.Put(servers.First, $"/_matrix/federation/v2/invite/{Uri.EscapeDataString(elsewhere.ToString())}/{Uri.EscapeDataString(invite.EventId.ToString())}",
            new { room_version = "10", @event = JsonElement.Parse(invite.Json.Span), invite_room_state = Array.Empty<object>() })).Ok();
        var invited = await alice.Sync();
        Assert.True(invited.Json.GetProperty("rooms").GetProperty("invite").TryGetProperty(elsewhere.ToString(), out _));

        await using var stranger = await servers.NewRemote();
        (await stranger.Put(servers.First, "/_matrix/federation/v1/send/s", new { pdus = new[] { JsonElement.Parse(Member(stranger, "leave").Json.Span) } })).Ok();
        Assert.True((await alice.Sync()).Json.GetProperty("rooms").GetProperty("invite").TryGetProperty(elsewhere.ToString(), out _));

        Assert.Null(await eve.Send(Member(remote, "leave")));
        await alice.SyncUntil(sync => sync.Json.ToString().Contains("\"leave\"", StringComparison.Ordinal), invited.NextBatch);
        Assert.DoesNotContain("elsewhere", (await alice.Sync()).Json.ToString(), StringComparison.Ordinal);
    }
}
