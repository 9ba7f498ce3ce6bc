using System.Text;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Protocol.Tests;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>Another server's view of a room of a node: makes events on any events of the room.</summary>
sealed class RemoteRoom(RoomNode node, Room room)
{
    public static async Task<RemoteRoom> Follow(RoomNode node, Room room)
    {
        await node.State.CurrentRoot(room.RoomNid, default);
        return new RemoteRoom(node, room);
    }

    /// <summary>An event on these events, or on the room's ends, citing what the state there demands.</summary>
    public async Task<Pdu> Build(string type, string? stateKey, string sender, string content, IReadOnlyList<EventId>? prev = null, EventId? redacts = null)
    {
        var head = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!;
        prev ??= [.. head.Extremities.Select(e => e.EventId)];
        var states = new List<StateNodeId>();
        var depth = 0L;
        foreach (var stored in await node.Events.FindInRoom(room.RoomNid, prev, default))
        {
            states.Add(await node.Get<Rooms.State.EventStates>().After(stored, default));
            depth = Math.Max(depth, stored.Depth);
        }
        var root = (await node.Get<Resolution.StateResolver>().Resolve(room, states, Resolution.StateResolver.NothingPending, default)).Root;
        var user = UserId.Parse(sender);
        var cited = new List<EventId>();
        foreach (var key in AuthEvents.KeysFor(type, stateKey, user, JsonElement.Parse(content), room.Rules))
        {
            if (await node.State.Get(root, key.Type, key.StateKey, default) is { } pdu)
                cited.Add(pdu.EventId);
        }
        return new PduBuilder
        {
            Type = type, StateKey = stateKey, Sender = user, RoomId = room.RoomId, Content = Encoding.UTF8.GetBytes(content), PrevEvents = prev,
            AuthEvents = cited, Depth = depth + 1, OriginServerTs = 1_700_000_000_000, Redacts = redacts,
        }.Build(room.Rules, user.Server, TestRoom.Key);
    }

    public async Task<EventId> Receive(string type, string? stateKey, string sender, string content, IReadOnlyList<EventId>? prev = null)
    {
        var received = await node.Receiver.Receive(room, await Build(type, stateKey, sender, content, prev), null, default);
        Assert.Equal(Reception.Accepted, received.Reception);
        return received.EventId;
    }
}
