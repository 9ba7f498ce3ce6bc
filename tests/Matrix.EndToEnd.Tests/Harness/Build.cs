namespace Matrix.EndToEnd.Tests;

/// <summary>Where the build that these tests belong to lies: <c>artifacts/bin/PROJECT/CONFIGURATION</c>.</summary>
static class Build
{
    static readonly string s_own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    static readonly string s_artifacts = Path.GetFullPath(Path.Combine(s_own, "..", "..", ".."));

    /// <summary>The operator's tool, built together with the services that it starts.</summary>
    public static string Matrixctl { get; } = Path.Combine(s_artifacts, "bin", "Matrix.Ctl", Path.GetFileName(s_own), "matrixctl.dll");

    public static string ClientApiTests { get; } =
        Path.Combine(s_artifacts, "bin", "Matrix.ClientApi.Tests", Path.GetFileName(s_own), "Matrix.ClientApi.Tests");

    public static string LoadGenerator { get; } = Path.Combine(s_artifacts, "bin", "Matrix.Load", Path.GetFileName(s_own), "matrix-load.dll");

    public static string RepositoryRoot { get; } = Path.GetDirectoryName(s_artifacts)!;

    /// <summary>Kept between runs.</summary>
    public static string CacheFolder { get; } = Path.Combine(s_artifacts, "end-to-end");
}
