using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Inbound;
using Matrix.Federation.Tests.Sender;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Federation.Tests.Joins;

// what becomes of events that were made before the members were known, when nobody stayed to hear of them
public sealed partial class PartialJoinTests
{
    [Fact]
    public async Task What_builds_on_a_room_that_was_left_before_its_members_were_known_is_judged_by_the_state_that_others_tell()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (inbox, member) = (new RemoteInbox(remote), remote.User("member1"));
        var (room, release) = Serve(remote, members: 4);
        await Join(bob, room);
        await bob.Leave(room.Id);
        await inbox.Until(() => inbox.Pdus.Any(IsLeave));
        var leave = room.Take(Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(inbox.Pdus.Single(IsLeave)), room.Rules));
        // on the leave alone, where we know of no member
        var late = room.Build("m.room.message", null, new { msgtype = "m.text", body = "he is gone" }, member);
        TellStateOf(remote, late, room.State);
        await Join(bob, room);
        release.SetResult();
        Assert.Equal(6, await CountJoined(bob, room));

        var home = await RemoteMember.Find(Home, remote, room.Id);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await home.Get($"state_ids/{Abroad.Esc(room.Id)}?event_id={Abroad.Esc(leave.EventId.ToString())}")).Status);
        await room.Send(Home, late);
        var taken = await home.Arrived(late.EventId);
        Assert.Null(taken.Rejected);
        // and nothing is left of it where it does not belong
        var state = await Home.Services.GetRequiredService<StateTree>().ReadAll(taken.StateBefore!.Value, Ct);
        Assert.Equal(room.State.Count, state.Count);
        Assert.Equal(6, await CountJoined(bob, room));

        bool IsLeave(JsonElement pdu) => pdu.String("state_key") == bob.UserId && pdu.String("content.membership") == "leave";
    }

    [Fact]
    public async Task Who_left_before_the_members_were_known_is_shown_them_later()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 4);
        await Join(bob, room);
        await bob.Leave(room.Id);
        release.SetResult();
        await Settled(room);

        var members = (await bob.Get($"/_matrix/client/v3/rooms/{Abroad.Esc(room.Id)}/members")).Ok()["chunk"].Items();
        Assert.Equal(6, members.Count);
        Assert.Equal(0L, await CountHalfKnown(room));
    }

    [Fact]
    public async Task A_room_that_was_left_is_not_asked_for_for_ever()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 4);
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/state/", async (_, _) =>
        {
            await release.Task;
            return RemoteAnswer.Error(System.Net.HttpStatusCode.Forbidden, "M_FORBIDDEN");
        });
        await Join(bob, room);
        await bob.Leave(room.Id);
        release.SetResult();

        await Settled(room);
        Assert.Equal(2L, await CountHalfKnown(room));
    }

    [Fact]
    public async Task Whoever_turns_out_to_be_a_member_sees_what_was_shown_before_that_was_known()
    {
        var (bob, carol) = (await Home.NewUser(), await Home.NewUser());
        await using var remote = await servers.NewRemote();
        // this server knows nothing of it any more, as after a restore
        var (room, release) = Serve(remote, members: 2, with: room =>
        {
            room.Add("m.room.history_visibility", "", new { history_visibility = "joined" });
            var key = Home.Services.GetRequiredService<ServerSigningKey>();
            room.Take(EventSignatures.AddSignature(
                room.Build("m.room.member", carol.UserId, new { membership = "join" }, UserId.Parse(carol.UserId)), key.ServerName, key.Key));
        });
        await Join(bob, room);
        var said = (await bob.Say(room.Id, "who is here?")).EventId;
        Assert.Contains((await bob.Sync(filter: Lazy)).Timeline(room.Id), e => e.String("event_id") == said);
        release.SetResult();
        await Settled(room);

        var seen = await carol.SyncUntil(sync => sync.Joined(room.Id) is not null);
        Assert.Contains(seen.Timeline(room.Id), e => e.String("event_id") == said);
    }

    static void TellStateOf(RemoteServer remote, Pdu pdu, IEnumerable<Pdu> state)
    {
        var ids = state.Select(e => e.EventId.ToString()).ToList();
        remote.On(HttpMethod.Post, "/_matrix/federation/v1/get_missing_events/", _ => new JsonObject { ["events"] = new JsonArray() });
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/state_ids/", request => request.Target.Contains(Abroad.Esc(pdu.EventId.ToString()), StringComparison.Ordinal)
            ? new { pdu_ids = ids, auth_chain_ids = ids } : RemoteAnswer.Error(System.Net.HttpStatusCode.NotFound, "M_NOT_FOUND"));
    }

    /// <summary>Waits until the members of the room are not asked for any more.</summary>
    async Task Settled(RemoteRoom room)
    {
        var nid = (await Home.Services.GetRequiredService<RoomStore>().Find(room.RoomId!.Value, Ct))!.RoomNid;
        await Eventually.True("the room is whole", async () => !await Home.Services.GetRequiredService<PartialRoomStore>().Contains(nid, Ct));
    }

    async Task<long> CountHalfKnown(RemoteRoom room)
    {
        await using var command = Home.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            "SELECT count(*) FROM events JOIN rooms USING (room_nid) WHERE room_id = $1 AND half_known");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = room.Id });
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
