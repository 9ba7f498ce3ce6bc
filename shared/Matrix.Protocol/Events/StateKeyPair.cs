namespace Matrix.Protocol;

/// <summary>The place of a state event in a room's state.</summary>
public readonly record struct StateKeyPair(string Type, string StateKey);
