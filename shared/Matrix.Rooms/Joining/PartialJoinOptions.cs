using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Matrix.Federation;
using Matrix.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms.Joining;

/// <summary>Joining rooms of other servers before their members are known: <c>partial_joins</c>.</summary>
public sealed class PartialJoinOptions
{
    /// <summary>Let users into rooms of other servers before all members are known; those come in the background.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Who joins waits so long for the members, unless they turn out to be many: a room that is whole by then is never without them.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ErrorMessage = "partial_joins.patience: must be at most 1m")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A server that says nothing for so long in the middle of a room's state has gone silent, and another one is asked.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00", ErrorMessage = "partial_joins.silence: must be between 100ms and 10m")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(30);

    internal List<string> Unreadable { get; } = [];

    /// <summary>What cannot be read keeps its default, and is told with all else that is wrong.</summary>
    internal void Read(IConfigurationSection section)
    {
        Unreadable.Clear();
        Enabled = Value(section.GetSection("enabled"), ConfiguredFlag.Parse, ConfiguredFlag.Wanted) ?? Enabled;
        Patience = Value(section.GetSection("patience"), Duration, "a duration such as 500ms, 30s, 5m") ?? Patience;
        Silence = Value(section.GetSection("silence"), Duration, "a duration such as 500ms, 30s, 5m") ?? Silence;
    }

    T? Value<T>(IConfigurationSection key, Func<string, T?> parse, string wanted) where T : struct
    {
        if (key.Value is not { Length: > 0 } text)
            return null;
        var value = parse(text);
        if (value is null)
            Unreadable.Add($"{key.Path.Replace(':', '.')}: '{text}' is not {wanted}");
        return value;
    }

    /// <summary><c>200ms</c>, or as it was written at first: <c>00:00:00.2</c>.</summary>
    static TimeSpan? Duration(string text)
    {
        try
        {
            return text.Contains(':', StringComparison.Ordinal) ? TimeSpan.Parse(text, CultureInfo.InvariantCulture) : ConfiguredDuration.Read(text);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return null;
        }
    }
}

sealed class PartialJoinOptionsValidator : IValidateOptions<PartialJoinOptions>
{
    public ValidateOptionsResult Validate(string? name, PartialJoinOptions options)
    {
        // not generated: what is generated for limits of durations forgets how they are told
        var outside = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), outside, validateAllProperties: true);
        List<string> failures = [.. options.Unreadable, .. outside.Select(result => result.ErrorMessage!)];
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }
}
