using System.Text.Json.Serialization;

namespace Matrix.Ctl.Doctor;

enum Verdict
{
    Well,
    Note,
    Warning,
    Bad,
}

/// <summary>What one check has found, and what to do about it.</summary>
sealed record Finding(string Check, Verdict Verdict, string Found, string? Advice = null)
{
    public static Finding Well(string check, string found) => new(check, Verdict.Well, found);

    /// <summary>Nothing is wrong, but there is something to know.</summary>
    public static Finding Note(string check, string found, string advice) => new(check, Verdict.Note, found, advice);

    public static Finding Warning(string check, string found, string advice) => new(check, Verdict.Warning, found, advice);

    public static Finding Bad(string check, string found, string advice) => new(check, Verdict.Bad, found, advice);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
sealed partial class FindingJson : JsonSerializerContext;
