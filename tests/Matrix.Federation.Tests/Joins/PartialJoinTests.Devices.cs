using Matrix.Protocol;
using Matrix.Testing;

namespace Matrix.Federation.Tests.Joins;

// what is no event goes to and fro between two servers of ours while one of them does not know who is in the room
public sealed partial class PartialJoinTests
{
    const string V3 = "/_matrix/client/v3";

    [Fact]
    public async Task Messages_to_devices_presence_and_device_lists_are_right_while_the_members_are_not_known()
    {
        using var alice = await KeyUser.Create(servers.First);
        using var bob = await KeyUser.Create(Home);
        await using var remote = await servers.NewRemote();
        var room = new RemoteRoom(remote, RoomVersions.V10);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        room.ServeWithoutMembers(whole => Task.FromResult<object?>(whole), ServerName.Parse(servers.First.ServerName));
        await Join(alice.User, room);
        Assert.Equal(2, await CountJoined(alice.User, room));
        room.ServeWithoutMembers(async whole =>
        {
            await release.Task.WaitAsync(TimeSpan.FromMinutes(2));
            return whole;
        }, ServerName.Parse(servers.First.ServerName));
        await Join(bob.User, room);
        await room.Send(servers.First, room.Last);
        var (toAlice, toBob) = (await alice.User.SyncUntil(sync => Joined(sync, bob.Id)), await bob.User.Sync(filter: Lazy));
        Assert.NotNull(toBob.Joined(room.Id));

        // messages to devices, both ways, while bob's server knows nothing of alice
        (await alice.SendToDevice("m.test", KeyUser.To(bob.Id, bob.Device, new { body = "to bob" }))).Ok();
        (await bob.SendToDevice("m.test", KeyUser.To(alice.Id, "*", new { body = "to alice" }))).Ok();
        await Told(bob.User, toBob, sync => KeyUser.Messages(sync).Contains("to bob"));
        await Told(alice.User, toAlice, sync => KeyUser.Messages(sync).Contains("to alice"));

        // presence: who is there is known by his server at once, and what it hears of others is kept until it is known who they are
        await Show(bob.User, "new here");
        await Told(alice.User, toAlice, sync => Presence(sync, bob.Id) == "new here");
        await Show(alice.User, "always here");

        // device lists: what is asked before the members are known is not taken for what it stays
        Assert.Equal(1, await Devices(bob, alice));
        using var phone = new KeyUser(await alice.User.NewDevice());
        await phone.UploadDevice();
        using var tablet = new KeyUser(await bob.User.NewDevice());
        await tablet.UploadDevice();
        await Told(alice.User, toAlice, sync => KeyUser.Changed(sync).Contains(bob.Id));
        await Eventually.True("she sees his devices", async () => await Devices(alice, bob) == 2);
        await Eventually.True("he sees her devices", async () => await Devices(bob, alice) == 2);

        release.SetResult();
        var seen = await Told(bob.User, toBob, sync => KeyUser.Changed(sync).Contains(alice.Id));
        await Told(bob.User, toBob, sync => Presence(sync, alice.Id) == "always here");
        Assert.Equal(3, await CountJoined(bob.User, room));
        Assert.Equal(2, await Devices(bob, alice));
        // and from here on as between any two
        (await phone.User.Post($"{V3}/logout")).Ok();
        await Told(bob.User, seen, sync => KeyUser.Changed(sync).Contains(alice.Id));
        await Eventually.True("he sees her devices", async () => await Devices(bob, alice) == 1);

        bool Joined(SyncReply sync, string user) =>
            sync.State(room.Id).Concat(sync.Timeline(room.Id)).Any(e => e.String("type") == "m.room.member" && e.String("state_key") == user);
    }

    /// <summary>Syncs from there, again and again, until something is told: for presence alone nobody is woken at once.</summary>
    static Task<SyncReply> Told(User user, SyncReply since, Func<SyncReply, bool> condition) =>
        Eventually.Get("it is told", () => user.Sync(since.NextBatch, filter: Lazy), condition);

    static async Task Show(User user, string status) =>
        (await user.Put($"{V3}/presence/{Abroad.Esc(user.UserId)}/status", new { presence = "online", status_msg = status })).Ok();

    static string? Presence(SyncReply sync, string user) => (sync.Json.Find("presence.events")?.Items() ?? []).Where(e => e.String("sender") == user)
        .Select(e => e.Find("content.status_msg")?.GetString()).LastOrDefault();

    static async Task<int> Devices(KeyUser of, KeyUser other) =>
        (await of.Query(other.Id)).Ok()["device_keys"].Find(other.Id)?.EnumerateObject().Count() ?? 0;
}
