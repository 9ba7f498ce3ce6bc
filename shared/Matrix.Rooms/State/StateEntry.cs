using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>One piece of a room's state: which event stands at a (type, state key).</summary>
public readonly record struct StateEntry(StateKeyPair Key, long EventNid);

/// <summary>What stands at a key in one state and in another. Null: nothing.</summary>
public readonly record struct StateDifference(StateKeyPair Key, long? Before, long? After);

/// <summary>A change to a state: the event that stands at the key from now on, or null to leave nothing there.</summary>
public readonly record struct StateAssignment(StateKeyPair Key, long? EventNid);

/// <summary>A state made from another one, with the nodes that may not be stored yet. Store them with the events that refer to the root.</summary>
public sealed record StateUpdate(StateNodeId Root, IReadOnlyList<StateNode> NewNodes);
