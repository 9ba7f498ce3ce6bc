namespace Matrix.ClientApi.Tests.Sync.Sliding;

public sealed class SlidingUnreadTests(MatrixServer server)
{
    static readonly object Body = SlidingRequests.List(limit: 1);

    [Fact]
    public async Task What_is_unread_comes_with_the_room_and_goes_when_it_is_read_elsewhere()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var phone = await bob.NewDevice();
        await alice.Say(room, "1");
        var last = await alice.Send(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = "2",
            ["m.mentions"] = new { user_ids = new[] { bob.UserId } },
        });
        var first = await phone.SlideUntil(Body, s => s.HasMessage(room, "2"));
        Assert.Equal((2, 1), Unread(first, room));
        await alice.Say(room, "3");
        var next = await phone.SlideUntil(Body, s => s.HasMessage(room, "3"), first.Pos);
        Assert.Equal((3, 1), Unread(next, room));
        var waiting = phone.SlideUntil(Body, s => s.Room(room) is not null, next.Pos);
        (await bob.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read.private/{ApiClient.Esc(last.EventId)}")).Ok();
        var read = await waiting;
        Assert.Equal((1, 0), Unread(read, room));
        Assert.Empty(read.Timeline(room));
        Assert.True((await phone.Slide(Body, read.Pos)).IsEmpty);
    }

    static (int Notifications, int Highlights) Unread(SlidingReply reply, string room) =>
        (reply[room].GetProperty("notification_count").GetInt32(), reply[room].GetProperty("highlight_count").GetInt32());
}
