using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms;

public sealed class RoomOptions
{
    /// <summary>The version of rooms that are created without saying which.</summary>
    [RegularExpression("^([3-9]|1[0-2])$", ErrorMessage = "default_room_version must be a room version that this server can create: 3 to 12.")]
    public string DefaultRoomVersion { get; set; } = "12";

    /// <summary>How many nodes of state trees are kept in memory. They have 800 bytes at most, and 300 on average.</summary>
    [Range(1000, 10_000_000)] public int StateNodeCacheSize { get; set; } = 50_000;
}

[OptionsValidator]
sealed partial class RoomOptionsValidator : IValidateOptions<RoomOptions>;
