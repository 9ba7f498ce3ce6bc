using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms.Joining;

/// <summary>Joining rooms of other servers before their members are known: <c>partial_joins</c>.</summary>
public sealed class PartialJoinOptions
{
    public bool Enabled { get; set; }

    /// <summary>Who joins waits so long for the members: a room that is whole by then is never without them.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ErrorMessage = "partial_joins.patience must be at most a minute.")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A server that says nothing for so long in the middle of a room's state has gone silent, and another one is asked.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00", ErrorMessage = "partial_joins.silence must be between 100 ms and 10 minutes.")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
sealed partial class PartialJoinOptionsValidator : IValidateOptions<PartialJoinOptions>;
