using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Matrix.LocalStack;
using YamlDotNet.RepresentationModel;

namespace Matrix.Chart.Tests;

/// <summary>
/// The Dockerfile and compose.yaml, without a Docker engine: the step that makes an image's content is run as it stands, and what comes out is started as a
/// container would start it: not as root, its folder not to be written to.
/// </summary>
public sealed partial class ImageTests
{
    static readonly string[] s_services = ["gateway", "client-api", "federation-reader", "federation-sender", "media-repo", "pusher", "all-in-one", "matrixctl"];

    /// <summary>The gateway by default; MATRIX_TEST_IMAGES=all publishes each, which takes a minute of processor time.</summary>
    public static TheoryData<string> Published => [.. Environment.GetEnvironmentVariable("MATRIX_TEST_IMAGES") == "all" ? s_services : ["gateway"]];

    [Theory, MemberData(nameof(Published))]
    public async Task What_an_image_holds_runs_as_anybody_in_a_folder_that_cannot_be_written(string service)
    {
        Assert.Contains("RUN --mount=type=cache,target=/root/.nuget/packages sh tools/images/publish.sh \"${SERVICE}\" \"${TARGETARCH}\" /app",
            await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "Dockerfile"), TestContext.Current.CancellationToken));
        var folder = Directory.CreateTempSubdirectory("matrix-image-").FullName;
        var app = Path.Combine(folder, "app");
        try
        {
            var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
            var published = await Processes.Run("sh", [Path.Combine(Repository.Root, "tools/images/publish.sh"), service, architecture, app], seconds: 300);
            Assert.True(published.ExitCode == 0, published.Output + published.Error);
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8));
            Assert.Equal(0, (await Processes.Run("chmod", ["-R", "a=rX", app])).ExitCode);
            await Starts(service, app);
        }
        finally
        {
            await Processes.Run("chmod", ["-R", "u+w", app]);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task The_Dockerfile_passes_the_linter()
    {
        var linter = Path.Combine(await ChartTools.Folder(), "node_modules", "dockerfilelint", "bin", "dockerfilelint");
        var lint = await Processes.Run("node", [linter, Path.Combine(Repository.Root, "Dockerfile")]);
        Assert.True(lint.ExitCode == 0, lint.Output);
    }

    [Fact]
    public async Task Each_service_of_the_compose_file_is_one_that_can_be_built_and_takes_its_settings()
    {
        var compose = Chart.Objects(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "compose.yaml"), TestContext.Current.CancellationToken)).Single();
        var built = ((YamlMappingNode)compose.At("services")!).Where(service => service.Value.At("build") is not null).ToList();
        var key = Path.GetTempFileName();
        foreach (var (name, service) in built)
        {
            var kind = service.Text("build", "args", "SERVICE");
            Assert.Contains(kind, s_services);
            Assert.EndsWith($"matrix-{kind}:${{VERSION:-latest}}", service.Text("image"), StringComparison.Ordinal);
            if (kind == "matrixctl") continue;
            var environment = (YamlMappingNode)(service.At("environment") ?? compose.At("x-service", "environment"))!;
            var result = await Processes.Run("dotnet", [Repository.Program(kind), "--check-config"], start =>
            {
                foreach (var (variable, value) in environment.Children) start.Environment[$"{variable}"] = Variable().Replace($"{value}", "https://x/");
                start.Environment.Remove("MATRIX_CONFIG");
                start.Environment["MATRIX__server_name"] = "example.org";
                start.Environment["MATRIX__signing_key_path"] = key;
                start.Environment["MATRIX__x_forwarded"] = "true";
            });
            Assert.True(result.ExitCode == 0, $"{name}: {result.Output}{result.Error}");
        }
        File.Delete(key);
        Assert.Equal(s_services.Except(["all-in-one"]).Order(), built.Select(service => service.Value.Text("build", "args", "SERVICE")).Distinct().Order());
    }

    /// <summary>The gateway answers; the others, which need a database, get as far as refusing a configuration, which shows that all of them loads.</summary>
    static async Task Starts(string service, string app)
    {
        string[] arguments = service switch { "gateway" => [], "matrixctl" => ["--help"], _ => ["--check-config"] };
        string[] command = Environment.UserName == "root" ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", app + "/run"] : [app + "/run"];
        var port = FreePort.Find();
        var running = Processes.Run(command[0], [.. command.Skip(1), .. arguments], start =>
        {
            start.WorkingDirectory = "/";
            start.Environment["HOME"] = "/nonexistent";
            start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            start.Environment["DOTNET_EnableDiagnostics"] = "0";
            start.Environment["MATRIX__server_name"] = "image.example";
            start.Environment["MATRIX__listen"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
            start.Environment["MATRIX__gateway__clusters__client-api__0"] = "http://127.0.0.1:9";
        }, seconds: service == "gateway" ? 30 : 60, until: service == "gateway" ? Answers(port) : null);
        var end = await running;
        if (service == "gateway") Assert.True(end.ExitCode == Processes.Stopped, end.Output + end.Error);
        else Assert.True(end.ExitCode is 0 or 78, end.Output + end.Error);
    }

    static async Task Answers(int port)
    {
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"), TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken); // until it listens; the run has a limit of its own
            }
        }
    }

    [GeneratedRegex(@"\$\{[^}]*\}")]
    private static partial Regex Variable();
}
