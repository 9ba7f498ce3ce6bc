using System.Xml.Linq;

namespace Matrix.Architecture.Tests;

/// <summary>Who may reference whom (docs/architecture.md): a project sees what is listed for it and nothing else.</summary>
public sealed class ProjectReferenceTests
{
    static readonly string[] s_shared = ["Matrix.Protocol", "Matrix.Storage", "Matrix.Replication", "Matrix.Federation", "Matrix.Rooms", "Matrix.Hosting", "Matrix.Http"];
    static readonly string[] s_services = ["Matrix.ClientApi", "Matrix.FederationReader", "Matrix.FederationSender", "Matrix.MediaRepo", "Matrix.Pusher"];

    static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Matrix.Protocol"] = [],
        ["Matrix.Hosting"] = [],
        ["Matrix.Storage"] = ["Matrix.Protocol"],
        ["Matrix.Replication"] = ["Matrix.Protocol", "Matrix.Storage"],
        ["Matrix.Federation"] = ["Matrix.Protocol", "Matrix.Storage", "Matrix.Replication"],
        ["Matrix.Rooms"] = ["Matrix.Protocol", "Matrix.Storage", "Matrix.Replication", "Matrix.Federation"],
        ["Matrix.Http"] = ["Matrix.Hosting", "Matrix.Protocol", "Matrix.Storage", "Matrix.Replication", "Matrix.Federation"],
        ["Matrix.Gateway"] = ["Matrix.Hosting"],
        ["Matrix.ClientApi"] = s_shared,
        ["Matrix.FederationReader"] = s_shared,
        ["Matrix.FederationSender"] = s_shared,
        ["Matrix.MediaRepo"] = s_shared,
        ["Matrix.Pusher"] = s_shared,
        ["Matrix.AllInOne"] = [.. s_shared, .. s_services],
        ["Matrix.LocalStack"] = [],
        ["Matrix.Ctl"] = ["Matrix.LocalStack", "Matrix.Hosting", "Matrix.Protocol", "Matrix.Storage"],
    };

    public static TheoryData<string> ProductProjects => [.. Projects("gateway", "services", "shared", "tools").Select(Repository.Relative)];

    [Theory, MemberData(nameof(ProductProjects))]
    public void A_project_references_only_what_the_architecture_allows(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(s_allowed.TryGetValue(name, out var allowed), $"{name} has no place in the architecture yet: give it one in this test and in docs/architecture.md.");
        Repository.AssertNone(References(project).Except(allowed!));
    }

    [Theory, MemberData(nameof(ProductProjects))]
    public void Only_replication_knows_the_bus_and_Redis(string project)
    {
        string[] transport = ["MassTransit", "RabbitMQ", "StackExchange.Redis"];
        if (Path.GetFileNameWithoutExtension(project) != "Matrix.Replication")
        {
            Assert.DoesNotContain(Packages(project), package => transport.Any(t => package.StartsWith(t, StringComparison.Ordinal)));
            // a package that a referenced project brings along is visible here too, so the sources count
            var usings = transport.Select(t => $"using {t}").ToList();
            Repository.AssertNone(Repository.Files(Path.GetDirectoryName(project)!, "*.cs")
                .Where(file => File.ReadLines(file).Any(line => usings.Any(u => line.StartsWith(u, StringComparison.Ordinal))))
                .Select(Repository.Relative));
        }
    }

    [Fact]
    public void The_protocol_library_is_pure()
    {
        string[] impure = ["System.Net.Http", "System.Net.Sockets", "System.Net.Requests", "System.Data", "System.IO.Pipes", "Microsoft.", "Npgsql", "System.Diagnostics.Process"];
        var references = typeof(Matrix.Protocol.UserId).Assembly.GetReferencedAssemblies().Select(a => a.Name!);
        Assert.DoesNotContain(references, name => impure.Any(i => name.StartsWith(i, StringComparison.Ordinal)));
        Assert.Equal(["NSec.Cryptography"], Packages("shared/Matrix.Protocol/Matrix.Protocol.csproj"));
        string[] ambient = ["DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.UtcNow", "Random.Shared", "File.", "Task."];
        Repository.AssertNone(Repository.Files("shared/Matrix.Protocol", "*.cs").SelectMany(Code)
            .Where(line => ambient.Any(a => line.Text.Contains($" {a}", StringComparison.Ordinal) || line.Text.Contains($"({a}", StringComparison.Ordinal))));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Matrix.sln")).Replace('\\', '/');
        Repository.AssertNone(Projects("gateway", "services", "shared", "tools", "tests").Select(Repository.Relative)
            .Where(project => !solution.Contains(project, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_top_level_folders_are_the_known_ones()
    {
        string[] known = ["charts", "demo", "docs", "gateway", "services", "shared", "tests", "tools"];
        string[] madeHere = ["artifacts", "data", "TestResults", "node_modules"];
        var folders = Directory.EnumerateDirectories(Repository.Root).Select(path => Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.')).Except(madeHere);
        Repository.AssertNone(folders.Except(known));
    }

    static IEnumerable<(string File, string Text)> Code(string file) => File.ReadLines(file)
        .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)).Select(line => (Repository.Relative(file), line));

    static IEnumerable<string> Projects(params string[] folders) => folders.SelectMany(folder => Repository.Files(folder, "*.csproj"));

    static IEnumerable<string> References(string project) => Includes(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path));

    static IEnumerable<string> Packages(string project) => Includes(project, "PackageReference");

    static IEnumerable<string> Includes(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, project)).Descendants(element).Select(e => e.Attribute("Include")!.Value.Replace('\\', '/'));
}
