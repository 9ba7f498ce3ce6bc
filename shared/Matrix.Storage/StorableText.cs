using System.Diagnostics.CodeAnalysis;

namespace Matrix.Storage;

/// <summary>
/// Text of others in columns. JSON can say NUL, and Postgres stores none: what is taken out of an event to be looked for or shown is kept without it, so that no insert
/// fails; the event itself is bytes and keeps it.
/// </summary>
public static class StorableText
{
    /// <summary>The text without NUL.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Storable(this string? text) => text?.Replace("\0", "", StringComparison.Ordinal);
}
