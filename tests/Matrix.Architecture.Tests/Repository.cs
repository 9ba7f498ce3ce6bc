using System.Reflection;

namespace Matrix.Architecture.Tests;

/// <summary>The checkout that these tests were built from.</summary>
static class Repository
{
    static readonly string[] s_notSource = ["artifacts", "bin", "obj", "node_modules"];

    public static string Root { get; } = FindRoot();

    /// <summary>Set to write the generated files (docs/endpoints.md, docs/operations/configuration.md, spec-routes.txt) instead of comparing them.</summary>
    public static bool Update => Environment.GetEnvironmentVariable("MATRIX_UPDATE_GENERATED") == "1";

    /// <summary>Source files under a folder of the repository, without build output.</summary>
    public static IEnumerable<string> Files(string folder, string pattern)
    {
        var path = Path.Combine(Root, folder);
        if (!Directory.Exists(path))
        {
            return [];
        }
        return Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories)
            .Where(file => !Relative(file).Split('/').Any(s_notSource.Contains))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>C# files of the product: everything but tests.</summary>
    public static IEnumerable<string> ProductSources =>
        new[] { "gateway", "services", "shared", "tools" }.SelectMany(folder => Files(folder, "*.cs"));

    /// <summary>What the product is compiled into.</summary>
    public static IEnumerable<Assembly> ProductAssemblies =>
        Directory.EnumerateFiles(AppContext.BaseDirectory, "Matrix.*.dll")
            .Where(path => !path.EndsWith(".Tests.dll", StringComparison.Ordinal))
            .Select(path => Assembly.Load(AssemblyName.GetAssemblyName(path)));

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    /// <summary>Compares a generated file with what it should be, or writes it where <see cref="Update"/> asks for that.</summary>
    public static void AssertUpToDate(string relativePath, string expected)
    {
        var path = Path.Combine(Root, relativePath);
        if (Update)
        {
            File.WriteAllText(path, expected);
        }
        var actual = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(
            expected == actual,
            $"{relativePath} is stale. Write it anew with: MATRIX_UPDATE_GENERATED=1 dotnet run --project tests/Matrix.Architecture.Tests\n{FirstDifference(actual, expected)}");
    }

    /// <summary>Fails with a line for each that there is.</summary>
    public static void AssertNone<T>(IEnumerable<T> offenders)
    {
        var list = offenders.ToList();
        Assert.True(list.Count == 0, string.Join('\n', list));
    }

    static string FirstDifference(string actual, string expected)
    {
        var (was, should) = (actual.Split('\n'), expected.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(was.Length, should.Length)).FirstOrDefault(i => was.ElementAtOrDefault(i) != should.ElementAtOrDefault(i));
        return $"line {line + 1}\n  is:        {was.ElementAtOrDefault(line)}\n  should be: {should.ElementAtOrDefault(line)}";
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Matrix.sln")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException($"No Matrix.sln above {AppContext.BaseDirectory}.");
    }
}
