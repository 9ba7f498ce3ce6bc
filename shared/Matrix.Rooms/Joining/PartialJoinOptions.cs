using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Matrix.Federation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms.Joining;

/// <summary>Joining rooms of other servers before their members are known: <c>partial_joins</c>.</summary>
public sealed class PartialJoinOptions
{
    /// <summary>Let users into rooms of other servers before all members are known; those come in the background.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Who joins waits so long for the members, unless they turn out to be many: a room that is whole by then is never without them.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ErrorMessage = "partial_joins.patience must be at most a minute.")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A server that says nothing for so long in the middle of a room's state has gone silent, and another one is asked.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00", ErrorMessage = "partial_joins.silence must be between 100 ms and 10 minutes.")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(30);

    internal void Read(IConfiguration section)
    {
        Enabled = section.GetValue("enabled", Enabled);
        Patience = Duration(section["patience"]) ?? Patience;
        Silence = Duration(section["silence"]) ?? Silence;
    }

    /// <summary><c>200ms</c>, or as it was written at first: <c>00:00:00.2</c>.</summary>
    static TimeSpan? Duration(string? text) =>
        text is not null && text.Contains(':', StringComparison.Ordinal) ? TimeSpan.Parse(text, CultureInfo.InvariantCulture) : ConfiguredDuration.Read(text);
}

[OptionsValidator]
sealed partial class PartialJoinOptionsValidator : IValidateOptions<PartialJoinOptions>;
