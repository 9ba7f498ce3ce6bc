using System.CommandLine;

namespace Matrix.Ctl.Commands;

/// <summary>The option <c>--json</c>, common to the commands that show something.</summary>
static class JsonOption
{
    public static Option<bool> Create() => new("--json") { Description = "Prints JSON, for programs." };
}
