using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class ReceiptTests(MatrixServer server)
{
    [Fact]
    public async Task A_receipt_reaches_the_others_of_the_room_at_once_and_newcomers_later()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var sent = await alice.Say(room, "x");
        var since = (await alice.SyncUntil(s => s.HasMessage(room, "x"))).NextBatch;
        var waiting = alice.SyncUntil(s => Receipts(s, room).Count > 0, since);
        (await bob.Post(Path(room, "m.read", sent.EventId), new { thread_id = "main" })).Ok();
        var receipt = Receipts(await waiting, room).Single().At("content").GetProperty(sent.EventId).GetProperty("m.read").GetProperty(bob.UserId);
        Assert.Equal("main", receipt.String("thread_id"));
        Assert.True(receipt.GetProperty("ts").GetInt64() > 0);
        Assert.Single(Receipts(await alice.Sync(), room));
    }

    [Fact]
    public async Task A_private_receipt_is_told_to_its_user_alone()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var sent = await alice.Say(room, "x");
        var since = (await bob.SyncUntil(s => s.HasMessage(room, "x"))).NextBatch;
        var waiting = bob.SyncUntil(s => Receipts(s, room).Count > 0, since);
        (await bob.Post(Path(room, "m.read.private", sent.EventId))).Ok();
        Assert.True(Receipts(await waiting, room).Single().At("content").GetProperty(sent.EventId).TryGetProperty("m.read.private", out _));
        Assert.Empty(Receipts(await alice.Sync(), room));
        Assert.Empty(Receipts(await alice.Sync(since), room));
    }

    [Fact]
    public async Task A_receipt_for_the_room_is_shown_rather_than_one_for_a_thread_at_the_same_event()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var sent = await alice.Say(room, "x");
        (await bob.Post(Path(room, "m.read", sent.EventId))).Ok();
        (await bob.Post(Path(room, "m.read", sent.EventId), new { thread_id = "main" })).Ok();
        var sync = await alice.SyncUntil(s => Receipts(s, room).Count > 0);
        var receipt = Receipts(sync, room).Single().At("content").GetProperty(sent.EventId).GetProperty("m.read").GetProperty(bob.UserId);
        Assert.False(receipt.TryGetProperty("thread_id", out _));
    }

    [Fact]
    public async Task Receipts_only_move_forwards()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var first = await alice.Say(room, "1");
        var second = await alice.Say(room, "2");
        (await bob.Post(Path(room, "m.read", second.EventId))).Ok();
        (await bob.Post(Path(room, "m.read", first.EventId))).Ok();
        var sync = await alice.SyncUntil(s => Receipts(s, room).Count > 0);
        Assert.Equal([second.EventId], Receipts(sync, room).Single().At("content").EnumerateObject().Select(e => e.Name));
    }

    [Fact]
    public async Task Read_markers_set_the_marker_and_the_receipts_together()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var sent = await alice.Say(room, "x");
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/read_markers",
            new Dictionary<string, string> { ["m.fully_read"] = sent.EventId, ["m.read"] = sent.EventId })).Ok();
        var sync = await bob.SyncUntil(s => Receipts(s, room).Count > 0);
        var marker = sync.Joined(room)!.Value.At("account_data.events").Items().Single(e => e.String("type") == "m.fully_read");
        Assert.Equal(sent.EventId, marker.String("content.event_id"));
    }

    [Fact]
    public async Task A_receipt_that_makes_no_sense_is_refused()
    {
        var (alice, room) = await server.UserInRoom();
        var eve = await server.NewUser();
        var sent = await alice.Say(room, "x");
        (await eve.Post(Path(room, "m.read", sent.EventId))).Refused(403, "M_FORBIDDEN");
        (await alice.Post(Path(room, "m.glanced_at", sent.EventId))).Refused(400, "M_INVALID_PARAM");
        (await alice.Post(Path(room, "m.read", "$nothing"))).Refused(404, "M_NOT_FOUND");
        (await alice.Post(Path(room, "m.read", sent.EventId), new { thread_id = "" })).Refused(400, "M_INVALID_PARAM");
        (await alice.Post(Path(room, "m.fully_read", sent.EventId), new { thread_id = "main" })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task The_first_sync_brings_the_push_rules()
    {
        var alice = await server.NewUser();
        var rules = (await alice.Sync()).AccountData.Single(e => e.String("type") == "m.push_rules").At("content.global");
        Assert.Contains(rules.GetProperty("override").Items(), rule => rule.String("rule_id") == ".m.rule.master");
    }

    static string Path(string room, string type, string eventId) =>
        $"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/{type}/{ApiClient.Esc(eventId)}";

    static List<JsonElement> Receipts(SyncReply sync, string room) =>
        [.. sync.Joined(room)?.Find("ephemeral.events")?.Items().Where(e => e.String("type") == "m.receipt") ?? []];
}
