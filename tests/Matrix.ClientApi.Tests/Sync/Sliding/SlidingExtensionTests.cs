using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingExtensionTests(MatrixServer server)
{
    [Fact]
    public async Task Account_data_comes_whole_at_first_and_then_as_it_changes()
    {
        var (alice, room) = await server.UserInRoom();
        var hidden = await alice.CreateRoom();
        await alice.Say(room, "top");
        await Put(alice, "org.example.global", 1);
        await Put(alice, "org.example.room", 1, room);
        await Put(alice, "org.example.room", 1, hidden);
        var body = SlidingRequests.List(to: 0, extensions: new { account_data = new { enabled = true } });
        await alice.SyncUntil(s => s.AccountData.Any(e => e.String("type") == "org.example.global") && s.HasMessage(room, "top"));
        var first = await alice.Slide(body);
        Assert.Contains(Global(first), e => e.String("type") == "org.example.global");
        Assert.Contains(Global(first), e => e.String("type") == "m.push_rules");
        Assert.Equal([room], first.Extension("account_data.rooms")!.Value.EnumerateObject().Select(r => r.Name));
        await Put(alice, "org.example.room", 2, room);
        var next = await alice.SlideUntil(body, s => s.Extension("account_data") is not null, first.Pos);
        Assert.Empty(next.Rooms);
        Assert.Equal(2, next.Extension("account_data.rooms")!.Value.At(room).Items().Single().At("content.v").GetInt32());
        // a room that comes later brings all of its own
        var wide = SlidingRequests.List(to: 9, extensions: new { account_data = new { enabled = true } });
        Assert.Single((await alice.Slide(wide, next.Pos)).Extension("account_data.rooms")!.Value.At(hidden).Items());
    }

    [Fact]
    public async Task Receipts_come_for_what_is_shown_and_as_they_move()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var old = await alice.Say(room, "old");
        await Read(bob, room, old);
        var body = SlidingRequests.List(limit: 1, extensions: new { receipts = new { enabled = true } });
        var first = await alice.SlideUntil(body, s => s.HasMessage(room, "old") && s.Extension("receipts") is not null);
        Assert.True(first.Extension("receipts.rooms")!.Value.At(room).At("content").At(old.EventId).At("m.read").TryGetProperty(bob.UserId, out _));
        var @new = await alice.Say(room, "new");
        var next = await alice.SlideUntil(body, s => s.HasMessage(room, "new"), first.Pos);
        var waiting = alice.SlideUntil(body, s => s.Extension("receipts") is not null, next.Pos);
        await Read(bob, room, @new);
        var moved = await waiting;
        Assert.Empty(moved.Rooms);
        Assert.Equal([@new.EventId], moved.Extension("receipts.rooms")!.Value.At(room).At("content").EnumerateObject().Select(e => e.Name));
    }

    [Fact]
    public async Task A_private_receipt_is_told_to_its_user_alone()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var sent = await alice.Say(room, "x");
        var body = SlidingRequests.List(extensions: new { receipts = new { enabled = true } });
        var first = await alice.SlideUntil(body, s => s.HasMessage(room, "x"));
        await Read(bob, room, sent, "m.read.private");
        await bob.SlideUntil(body, s => s.Extension("receipts") is not null);
        await alice.Say(room, "y");
        Assert.Null((await alice.SlideUntil(body, s => s.HasMessage(room, "y"), first.Pos)).Extension("receipts"));
        Assert.Null((await alice.Slide(body)).Extension("receipts"));
    }

    [Fact]
    public async Task Typing_comes_when_it_changes_and_only_to_who_asks()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var body = SlidingRequests.List(extensions: new { typing = new { enabled = true } });
        var first = await alice.SlideUntil(body, s => s.Room(room) is not null);
        var waiting = alice.SlideUntil(body, s => s.Extension("typing") is not null, first.Pos);
        (await bob.Put($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/typing/{bob.UserId}", new { typing = true, timeout = 30000 })).Ok();
        var typing = await waiting;
        Assert.Equal([bob.UserId], Users(typing));
        Assert.Null((await alice.Slide(body, typing.Pos)).Extension("typing"));
        Assert.Null((await alice.Slide(SlidingRequests.List(), first.Pos)).Extension("typing"));
        (await bob.Put($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/typing/{bob.UserId}", new { typing = false })).Ok();
        Assert.Empty(Users(await alice.SlideUntil(body, s => s.Extension("typing") is not null, typing.Pos)));

        IEnumerable<string?> Users(SlidingReply reply) =>
            reply.Extension("typing.rooms")!.Value.At(room).At("content.user_ids").Items().Select(user => user.GetString());
    }

    static IReadOnlyList<JsonElement> Global(SlidingReply reply) => reply.Extension("account_data.global")!.Value.Items();

    static async Task Put(User user, string type, int value, string? room = null) => (await user.Put(
        $"/_matrix/client/v3/user/{user.UserId}/{(room is null ? "" : $"rooms/{ApiClient.Esc(room)}/")}account_data/{type}", new { v = value })).Ok();

    static async Task Read(User user, string room, Sent sent, string type = "m.read") =>
        (await user.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/{type}/{ApiClient.Esc(sent.EventId)}")).Ok();
}
