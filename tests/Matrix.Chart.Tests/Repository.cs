namespace Matrix.Chart.Tests;

/// <summary>The checkout that these tests were built from, and its build output.</summary>
static class Repository
{
    static readonly string s_own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    public static string Artifacts { get; } = Path.GetFullPath(Path.Combine(s_own, "..", "..", ".."));

    public static string Root { get; } = Path.GetDirectoryName(Artifacts)!;

    public static string Chart { get; } = Path.Combine(Root, "charts", "matrix");

    public static string Tests { get; } = Path.Combine(Root, "tests", "Matrix.Chart.Tests");

    /// <summary>The program of a service, such as <c>client-api</c>.</summary>
    public static string Program(string service)
    {
        var project = "Matrix." + string.Concat(service.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return Path.Combine(Artifacts, "bin", project, Path.GetFileName(s_own), project + ".dll");
    }
}
