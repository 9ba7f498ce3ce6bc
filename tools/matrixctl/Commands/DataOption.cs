using System.CommandLine;

namespace Matrix.Ctl.Commands;

/// <summary>The option <c>--data DIR</c>, common to the commands that deal with a running server.</summary>
static class DataOption
{
    public static Option<string> Create() => new("--data")
    {
        Description = "Data folder of the server.",
        DefaultValueFactory = _ => "./data",
    };

    /// <summary>The folder as a full path, given or not.</summary>
    public static string GetFolder(this ParseResult result, Option<string> option) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(result.GetValue(option)!));
}
