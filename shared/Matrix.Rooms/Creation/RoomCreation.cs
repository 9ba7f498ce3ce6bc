using System.Text.Json.Nodes;
using Matrix.Protocol;

namespace Matrix.Rooms;

/// <summary>How a new room is to be (C-S API, POST /createRoom).</summary>
public sealed record RoomCreation
{
    public required UserId Creator { get; init; }

    /// <summary>Null: the server's default.</summary>
    public string? Version { get; init; }

    /// <summary>Is it to be in the server's directory?</summary>
    public bool Published { get; init; }

    /// <summary>Null: follows from <see cref="Published"/>.</summary>
    public RoomPreset? Preset { get; init; }

    /// <summary>The alias without # and server.</summary>
    public string? AliasLocalpart { get; init; }

    public string? Name { get; init; }

    public string? Topic { get; init; }

    public IReadOnlyList<UserId> Invite { get; init; } = [];

    /// <summary>Is it a direct chat? Marks the invites.</summary>
    public bool IsDirect { get; init; }

    /// <summary>Further members of the create event's content.</summary>
    public JsonObject? CreationContent { get; init; }

    public IReadOnlyList<InitialState> InitialState { get; init; } = [];

    /// <summary>Members that replace those of the power levels made from the preset.</summary>
    public JsonObject? PowerLevelOverride { get; init; }
}

/// <summary>A state event that the room is to begin with (<c>initial_state</c>).</summary>
public sealed record InitialState(string Type, JsonObject Content, string StateKey = "");

/// <summary>Who may join and read, and who has power (C-S API, POST /createRoom, <c>preset</c>).</summary>
public enum RoomPreset
{
    PrivateChat,
    TrustedPrivateChat,
    PublicChat,
}
