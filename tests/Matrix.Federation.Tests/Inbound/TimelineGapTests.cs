using System.Net;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Joins;
using Matrix.Protocol;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>
/// What this server did not hear of, and is not given at once, leaves a gap in the timeline: clients are told of it, and whoever pages back to it finds what was
/// missing, in its place (docs/adr/0038).
/// </summary>
public sealed class TimelineGapTests(FederatedServers all) : RemoteMemberTests(all)
{
    const string Missing = "/_matrix/federation/v1/get_missing_events/", Backfill = "/_matrix/federation/v1/backfill/", StateIds = "/_matrix/federation/v1/state_ids/";

    [Fact]
    public async Task Clients_are_told_of_a_gap_and_find_what_was_missing_in_its_place()
    {
        await alice.Say(room, "before");
        var since = (await alice.Sync()).NextBatch;
        var chain = await MissAllBut(3, of: 40);
        Serve(chain, most: 15);

        var expected = chain.Select(Body).ToList();
        foreach (var sync in new[] { await alice.Sync(since), await alice.Sync() })
        {
            Assert.Equal(expected[^3..], sync.Bodies(room));
            Assert.True(sync.Joined(room)!.Value.At("timeline.limited").GetBoolean());
        }
        var from = (await alice.Sync(since)).Joined(room)!.Value.At("timeline").String("prev_batch");
        Assert.Equal([.. expected[..^3].AsEnumerable().Reverse(), "before"], await PageBack(from));
        Assert.Equal([.. expected.AsEnumerable().Reverse(), "before"], await PageBack(null));
        Assert.InRange(Asked, 3, 4);
        Assert.Equal(["before", .. expected], (await alice.Messages(room, dir: "f", limit: 100))["chunk"].Items().Bodies());
        // who was away meanwhile gets the newest of it, as if nothing had ever been missing
        var late = await alice.Sync(since, filter: new { room = new { timeline = new { limit = 30 } } });
        Assert.Equal(expected[^30..], late.Bodies(room));
        var all = await alice.Sync(since, filter: new { room = new { timeline = new { limit = 50 } } });
        Assert.Equal(expected, all.Bodies(room));
    }

    [Fact]
    public async Task A_filter_that_leaves_out_the_event_above_a_gap_does_not_hide_the_gap()
    {
        await alice.Say(room, "before");
        var chain = await MissAllBut(1, of: 10, typeOf: i => i % 2 == 0 ? "m.room.message" : "org.example.other");
        Serve(chain, most: 100);
        var page = await alice.Messages(room, limit: 30, filter: new { not_types = new[] { "org.example.other" } });
        Assert.Equal(1, Asked);
        Assert.Equal(["missed 8", "missed 6", "missed 4", "missed 2", "missed 0", "before"], page["chunk"].Items().Bodies());
    }

    [Fact]
    public async Task Who_reads_forwards_finds_what_was_missing_too()
    {
        var before = await alice.Say(room, "before");
        var since = (await alice.Sync()).NextBatch;
        var chain = await MissAllBut(2, of: 20);
        Serve(chain, most: 8);
        var context = (await alice.Get($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/context/{Uri.EscapeDataString(before.EventId)}?limit=10")).Ok();
        Assert.Equal(chain[..5].Select(Body), context["events_after"].Items().Bodies());
        Assert.Equal(chain.Select(Body), (await alice.Messages(room, since, dir: "f", limit: 100))["chunk"].Items().Bodies());
        Assert.Equal(3, Asked);
    }

    [Fact]
    public async Task A_sliding_window_begins_at_a_gap()
    {
        await alice.Say(room, "before");
        var chain = await MissAllBut(2, of: 20);
        Serve(chain, most: 100);
        var sync = (await alice.Post("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", new
        {
            lists = new { all = new { ranges = new[] { new[] { 0, 5 } }, timeline_limit = 10, required_state = Array.Empty<string[]>() } },
        })).Ok().Json.GetProperty("rooms").GetProperty(room);
        Assert.Equal(chain[^2..].Select(Body), sync.GetProperty("timeline").Items().Bodies());
        Assert.True(sync.GetProperty("limited").GetBoolean());
        Assert.Equal([.. chain[..^2].Select(Body).Reverse(), "before"], await PageBack(sync.String("prev_batch")));
    }

    [Fact]
    public async Task What_nobody_gives_hides_nothing_that_is_here()
    {
        await alice.Say(room, "before");
        var chain = await MissAllBut(3, of: 10);
        Assert.Equal([.. chain[^3..].Select(Body).Reverse(), "before"], await PageBack(null));
    }

    [Fact]
    public async Task While_an_upgrade_may_be_under_way_no_positions_are_skipped_and_what_was_missing_is_to_be_read_all_the_same()
    {
        await using var server = await servers.Start();
        await server.Services.GetRequiredService<NpgsqlDataSource>()
            .Execute("UPDATE schema_migrations SET applied_at = now() - interval '1 day' WHERE name <> '0200_timeline_gaps'");
        (alice, room) = (await server.NewUser(), "");
        room = await alice.CreatePublicRoom();
        eve = await RemoteMember.Join(server, remote, room);
        await alice.Say(room, "before");
        var chain = await MissAllBut(2, of: 12);
        Serve(chain, most: 5);
        Assert.Equal([.. chain[^2..].Select(Body).Reverse(), "before", .. chain[..^2].Select(Body).Reverse()], await PageBack(null));
        Assert.Equal(0, await server.Services.GetRequiredService<NpgsqlDataSource>().GetOne<long>("SELECT count(*) FROM log WHERE skipped > 0"));
    }

    [Fact]
    public async Task Each_of_two_gaps_gets_what_is_missing_in_it()
    {
        await alice.Say(room, "before");
        var first = await MissAllBut(2, of: 12, name: "first");
        await alice.Say(room, "between");
        var second = await MissAllBut(2, of: 12, name: "second");
        Serve([.. first, .. second], most: 100);
        Assert.Equal([.. second.Select(Body).Reverse(), "between", .. first.Select(Body).Reverse(), "before"], await PageBack(null));
    }

    [Fact]
    public async Task Who_comes_back_finds_what_was_said_meanwhile_between_leaving_and_coming()
    {
        var bob = await servers.Second.NewUser();
        await bob.JoinBy(servers.First, room);
        await Said("first");
        await bob.Leave(room);
        for (var i = 0; i < 7; i++)
            await alice.Say(room, $"meanwhile {i}");
        await bob.JoinBy(servers.First, room);
        await Said("last");

        var (seen, from) = (new List<JsonElement>(), (string?)null);
        do
        {
            var page = await bob.Messages(room, from, limit: 5);
            seen.AddRange(page["chunk"].Items());
            from = page.Json.Find("end")?.GetString();
        } while (from is not null && seen.Count < 100);
        seen.Reverse();
        Assert.Equal(["first", .. Enumerable.Range(0, 7).Select(i => $"meanwhile {i}"), "last"], seen.Bodies());
        Assert.Equal(["join", "leave", "join"], seen.Where(e => e.Find("state_key")?.GetString() == bob.UserId).Select(e => e.String("content.membership")));
        Assert.Equal(EventTypes.Create, seen[0].String("type"));
        Assert.Equal(seen.Count, seen.Select(e => e.String("event_id")).Distinct().Count());

        async Task Said(string body)
        {
            await alice.Say(room, body);
            await bob.SyncUntil(sync => sync.HasMessage(room, body), (await bob.Sync()) is var sync && sync.HasMessage(room, body) ? null : sync.NextBatch);
        }
    }

    int Asked => remote.Requests.Count(request => request.Path.StartsWith(Backfill, StringComparison.Ordinal));

    /// <summary>A chain of messages whose last few arrive, while those before are not given when they are asked for.</summary>
    async Task<List<Pdu>> MissAllBut(int few, int of, string name = "missed", Func<int, string>? typeOf = null)
    {
        var (chain, state, depth) = (new List<Pdu>(), (await eve.State()).Select(Id), (await eve.Head()).Depth);
        for (var i = 0; i < of; i++)
            chain.Add(await eve.Build(typeOf?.Invoke(i) ?? "m.room.message", new { msgtype = "m.text", body = $"{name} {i}" }, prev: i == 0 ? null : [chain[^1].EventId], depth: depth + 1 + i));
        remote.On(HttpMethod.Post, Missing, _ => new { events = chain[^few..^1].Select(Json) });
        remote.On(HttpMethod.Get, StateIds, _ => new { pdu_ids = state, auth_chain_ids = state });
        Assert.Null(await eve.Send(chain[^1]));
        await eve.Arrived(chain[^1].EventId);
        return chain;
    }

    void Serve(List<Pdu> chain, int most) => remote.On(HttpMethod.Get, Backfill, request =>
    {
        var ends = request.Target.Split('?')[1].Split('&').Where(part => part.StartsWith("v=", StringComparison.Ordinal)).Select(part => Uri.UnescapeDataString(part[2..]));
        var from = ends.Max(id => chain.FindIndex(e => Id(e) == id));
        return from < 0 ? RemoteAnswer.Error(HttpStatusCode.NotFound, "M_NOT_FOUND")
            : new { origin = remote.Name.ToString(), origin_server_ts = 1, pdus = chain.Take(from + 1).TakeLast(most).Reverse().Select(Json) };
    });

    async Task<List<string>> PageBack(string? from)
    {
        var seen = new List<string>();
        do
        {
            var page = await alice.Messages(room, from, limit: 12);
            seen.AddRange(page["chunk"].Items().Bodies());
            from = page.Json.Find("end")?.GetString();
        } while (from is not null && seen.Count < 200);
        return seen;
    }

    static string Body(Pdu pdu) => pdu.Content.GetProperty("body").GetString()!;

    static JsonElement Json(Pdu pdu) => JsonElement.Parse(pdu.Json.Span);

    static string Id(Pdu pdu) => pdu.EventId.ToString();
}
