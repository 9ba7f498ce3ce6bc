using System.Text.Json;
using Matrix.Federation.Tests.Harness;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>A client that pages back to where the known past ends gets on, with what other servers have.</summary>
public sealed class HistoryTests(FederatedServers all) : RemoteServerTests(all)
{
    [Fact]
    public async Task A_rooms_past_is_fetched_page_by_page_until_its_beginning()
    {
        var history = await RemoteHistory.Make(servers.First, remote, alice, 40);
        history.Serve(most: 15);
        var (seen, from) = (new List<JsonElement>(), (string?)null);
        do
        {
            var page = await alice.Messages(history.Room.ToString(), from, limit: 20);
            seen.AddRange(page["chunk"].Items());
            from = page.Json.TryGetProperty("end", out var end) ? end.GetString() : null;
        } while (from is not null && seen.Count < 100);

        Assert.Equal(alice.UserId, seen[0].String("sender"));
        Assert.Equal(history.Events.AsEnumerable().Reverse().Select(e => e.EventId.ToString()), seen.Skip(1).Select(e => e.String("event_id")));
        Assert.InRange(history.Asked, 3, 5);
        // it is here now: nobody is asked again, forwards or back
        await alice.Messages(history.Room.ToString(), dir: "f", limit: 100);
        Assert.InRange(history.Asked, 3, 5);
        var sync = await alice.Sync();
        await alice.Say(history.Room.ToString(), "and on it goes");
        await alice.SyncUntil(s => s.Json.ToString().Contains("and on it goes", StringComparison.Ordinal), sync.NextBatch);
    }

    [Fact]
    public async Task Who_gives_an_endless_past_is_asked_for_one_page_at_a_time()
    {
        var history = await RemoteHistory.Make(servers.First, remote, alice, HostileTests.IsFull ? 100_000 : 3000);
        history.Serve(most: 5000);
        var page = await alice.Messages(history.Room.ToString(), limit: 10);
        Assert.Equal(10, page["chunk"].GetArrayLength());
        Assert.Equal(1, history.Asked);
        page = await alice.Messages(history.Room.ToString(), page.String("end"), limit: 10);
        Assert.Equal(10, page["chunk"].GetArrayLength());
        Assert.Equal(1, history.Asked);
    }

    [Theory, InlineData("f"), InlineData("b")]
    public async Task A_time_in_a_past_that_is_not_here_is_found_and_what_was_before_and_after_it_too(string dir)
    {
        var history = await RemoteHistory.Make(servers.First, remote, alice, 60);
        history.Serve(most: 10);
        history.ServeTimes();
        var (room, wanted) = (Uri.EscapeDataString(history.Room.ToString()), history.Events[30]);
        var found = (await alice.Get($"/_matrix/client/v1/rooms/{room}/timestamp_to_event?ts={wanted.OriginServerTs}&dir={dir}")).Ok();
        Assert.Equal(wanted.EventId.ToString(), found.String("event_id"));
        var context = (await alice.Get($"/_matrix/client/v3/rooms/{room}/context/{Uri.EscapeDataString(found.String("event_id"))}?limit=10")).Ok();
        Assert.Equal(wanted.EventId.ToString(), context.String("event.event_id"));
        var earlier = (await alice.Messages(history.Room.ToString(), context.String("start"), limit: 8))["chunk"].Items();
        Assert.Equal(history.Events[22..30].AsEnumerable().Reverse().Select(e => e.EventId.ToString()), earlier.Select(e => e.String("event_id")));

        var (seen, from) = (new List<string>(), (string?)null);
        do
        {
            var page = await alice.Messages(history.Room.ToString(), from, limit: 9);
            seen.AddRange(page["chunk"].Items().Select(e => e.String("event_id")));
            from = page.Json.Find("end")?.GetString();
        } while (from is not null && seen.Count < 100);
        Assert.Equal(history.Events.AsEnumerable().Reverse().Select(e => e.EventId.ToString()), seen.Skip(1));
    }

    [Fact]
    public async Task A_past_that_nobody_gives_is_an_end()
    {
        var history = await RemoteHistory.Make(servers.First, remote, alice, 3);
        var page = await alice.Messages(history.Room.ToString());
        Assert.Single(page["chunk"].EnumerateArray());
        Assert.False(page.Json.TryGetProperty("end", out _));
    }

    [Fact]
    public async Task Of_a_past_that_was_for_those_who_were_there_a_newcomer_sees_nothing_and_redactions_and_edits_in_it_count()
    {
        var eve = remote.User("eve");
        var rich = await RemoteHistory.Make(servers.First, remote, alice, 2, h =>
        {
            var edited = h.Add(eve, "m.room.message", new { msgtype = "m.text", body = "first words" }, null);
            h.Add(eve, "m.room.message", new Dictionary<string, object>
            {
                ["msgtype"] = "m.text", ["body"] = "* second words", ["m.new_content"] = new { msgtype = "m.text", body = "second words" },
                ["m.relates_to"] = new { rel_type = "m.replace", event_id = edited.EventId.ToString() },
            }, null);
            var redacted = h.Add(eve, "m.room.message", new { msgtype = "m.text", body = "a mistake" }, null);
            h.Redact(eve, redacted.EventId);
            h.Add(eve, "m.room.history_visibility", new { history_visibility = "joined" }, "");
            h.Add(eve, "m.room.message", new { msgtype = "m.text", body = "a secret" }, null);
        });
        rich.Serve(most: 100);
        var seen = (await alice.Messages(rich.Room.ToString(), limit: 50))["chunk"].Items();
        var text = string.Join('\n', seen.Select(e => e.ToString()));
        Assert.DoesNotContain("a secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("a mistake", text, StringComparison.Ordinal);
        Assert.Contains("second words", seen.Single(e => e.ToString().Contains("\"first words\"", StringComparison.Ordinal)).ToString(), StringComparison.Ordinal);
    }
}
