using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>What clients are told when branches of a room meet, which events of other servers make.</summary>
public sealed class MergeTests : IAsyncLifetime
{
    MatrixServer server = null!;

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(_ => { });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_member_whom_a_merge_took_away_is_told_so()
    {
        var (alice, bob) = (await server.NewUser(), await server.NewUser());
        var room = await alice.CreatePublicRoom();
        var branch = (await alice.Say(room, "before bob")).EventId;
        (await bob.Post($"/_matrix/client/v3/join/{Uri.EscapeDataString(room)}")).Ok();
        var (sinceAlice, sinceBob) = (await alice.Sync(), await bob.Sync());
        Assert.NotNull(sinceBob.Joined(room));

        await Receive(room, alice.UserId, branch, EventTypes.Member, bob.UserId, new { membership = "ban" });

        var told = await bob.SyncUntil(sync => sync.Left(room) is not null, sinceBob.NextBatch);
        Assert.Contains(told.State(room).Concat(told.Timeline(room)), e => Says(e, bob.UserId, "ban"));
        var again = await bob.Sync(told.NextBatch);
        Assert.Null(again.Left(room));
        var seen = await alice.SyncUntil(sync => sync.Joined(room) is not null, sinceAlice.NextBatch);
        Assert.Contains(seen.State(room).Concat(seen.Timeline(room)), e => Says(e, bob.UserId, "ban"));
        Assert.Null((await bob.Sync()).Joined(room));
    }

    [Fact]
    public async Task State_that_lost_in_a_merge_is_seen_but_does_not_hold()
    {
        var alice = await server.NewUser();
        var room = await alice.CreateRoom();
        var branch = (await alice.Say(room, "fork here")).EventId;
        await alice.SetState(room, "m.room.topic", new { topic = "ours" });
        var since = await alice.Sync();

        await Receive(room, alice.UserId, branch, "m.room.topic", "", new { topic = "theirs" });

        Assert.Equal("ours", (await alice.GetState(room, "m.room.topic")).GetProperty("topic").GetString());
        var told = await alice.SyncUntil(sync => sync.Joined(room) is not null, since.NextBatch);
        Assert.Contains(told.Timeline(room), e => e.GetProperty("content").TryGetProperty("topic", out var topic) && topic.GetString() == "theirs");
        var after = (await alice.Get($"/_matrix/client/v3/sync?use_state_after=true&since={since.NextBatch}")).Ok().Json;
        var state = after.GetProperty("rooms").GetProperty("join").GetProperty(room).GetProperty("state_after").GetProperty("events");
        Assert.Empty(state.EnumerateArray());
    }

    static bool Says(JsonElement e, string userId, string membership) =>
        e.GetProperty("type").GetString() == "m.room.member" && e.GetProperty("state_key").GetString() == userId
        && e.GetProperty("content").GetProperty("membership").GetString() == membership;

    /// <summary>Receives an event that was sent upon an event of the room's past.</summary>
    async Task Receive(string roomId, string sender, string prev, string type, string stateKey, object content)
    {
        var services = server.Services;
        var room = await services.GetRequiredService<RoomFinder>().Get(RoomId.Parse(roomId), default);
        var stored = (await services.GetRequiredService<EventStore>().FindByEventId(EventId.Parse(prev), default))!;
        var user = UserId.Parse(sender);
        var json = JsonSerializer.SerializeToUtf8Bytes(content);
        var cited = new List<EventId>();
        foreach (var key in AuthEvents.KeysFor(type, stateKey, user, JsonElement.Parse(json), room.Rules))
        {
            if (await services.GetRequiredService<RoomState>().Get(stored.RoomState!.Value, key.Type, key.StateKey, default) is { } pdu)
                cited.Add(pdu.EventId);
        }
        var received = new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = user, RoomId = room.RoomId, Content = json, PrevEvents = [stored.EventId], AuthEvents = cited,
            Depth = stored.Depth + 1, OriginServerTs = 1_700_000_000_000,
        }.Build(room.Rules, user.Server, SigningKey.Generate("test"));
        var outcome = await services.GetRequiredService<RoomReceiver>().Receive(room, received, null, default);
        Assert.Equal(Reception.Accepted, outcome.Reception);
        await services.GetRequiredService<LogFollower>().WaitFor(outcome.Position, default);
    }
}
