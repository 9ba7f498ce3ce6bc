using Matrix.Protocol;

namespace Matrix.Rooms;

/// <summary>A refusal by a room: by its auth rules, or because what was asked for makes no sense in its state.</summary>
public sealed class RoomException(int status, string errcode, string message) : Exception(message), IMatrixError
{
    public int Status { get; } = status;

    public string Errcode { get; } = errcode;

    public static RoomException Forbidden(string message) => new(403, "M_FORBIDDEN", message);

    public static RoomException NotFound(string message) => new(404, "M_NOT_FOUND", message);

    public static RoomException UnknownRoom(RoomId roomId) => NotFound($"This server knows no room {roomId}.");

    public static RoomException Invalid(string message) => new(400, "M_INVALID_PARAM", message);

    public static RoomException InvalidState(string message) => new(400, "M_INVALID_ROOM_STATE", message);

    public static RoomException AliasTaken(RoomAlias alias) => new(400, "M_ROOM_IN_USE", $"The alias {alias} is taken.");

    public static RoomException UnsupportedVersion(string version) =>
        new(400, "M_UNSUPPORTED_ROOM_VERSION", $"This server does not support room version '{version}'.");

    public static RoomException GuestsNotAllowed() => new(403, "M_GUEST_ACCESS_FORBIDDEN", "Guests may not join this room.");

    public static RoomException DuplicateAnnotation() =>
        new(400, "M_DUPLICATE_ANNOTATION", "You have annotated this event with the same key already.");

    /// <summary>C-S API, Validation of m.thread relationships: there is no error code of its own.</summary>
    public static RoomException NoThreadHere() => new(400, "M_UNKNOWN", "A thread cannot begin at an event that itself relates to another.");

    /// <summary>So many writers in one room at once that this one never got through. The client may try again.</summary>
    public static RoomException TooBusy() => new(503, "M_UNKNOWN", "The room is too busy. Try again.");
}
