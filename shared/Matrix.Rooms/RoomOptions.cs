using System.ComponentModel.DataAnnotations;
using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms;

/// <summary>What homeserver.yaml says of new rooms.</summary>
public sealed class RoomOptions
{
    /// <summary>The version of rooms that are created without saying which, from 3 to 12.</summary>
    [RegularExpression("^([3-9]|1[0-2])$", ErrorMessage = "default_room_version must be a room version that this server can create: 3 to 12.")]
    public string DefaultRoomVersion { get; set; } = RoomVersions.Recommended.Id;
}

[OptionsValidator]
sealed partial class RoomOptionsValidator : IValidateOptions<RoomOptions>;
