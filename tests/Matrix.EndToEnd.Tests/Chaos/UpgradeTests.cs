using System.Globalization;
using Matrix.LocalStack;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// An upgrade under load from the release that MATRIX_TEST_UPGRADE_FROM names (a commit), whose services then work side by side with ours on one database, bus
/// and cache. Builds that commit first, which takes minutes; the chaos test holds the short form, in which the schema alone is newer.
/// </summary>
[Collection("end to end")]
public sealed class UpgradeTests(ITestOutputHelper output)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_release_before_and_this_one_work_side_by_side_while_the_schema_is_brought_up_to_date()
    {
        var commit = Environment.GetEnvironmentVariable("MATRIX_TEST_UPGRADE_FROM");
        Assert.SkipWhen(string.IsNullOrEmpty(commit), "MATRIX_TEST_UPGRADE_FROM=COMMIT upgrades from there.");
        using var before = await EarlierBuild.Of(commit!);
        var folder = Directory.CreateTempSubdirectory("matrix-upgrade-").FullName;
        await using (var stack = await PrivateStack.Start(new StackOptions { DataFolder = folder }, Ct))
        {
            var settings = Settings(stack);
            await using var old = await RunningServer.Start(before.Matrixctl, "e2e.example", settings, ["--replicas", "client-api=2", "federation-sender=2"]);
            foreach (var key in new[] { "signing_key_path", "media_store_path", "registration_shared_secret" }) settings["MATRIX__" + key] = old.Configured(key);
            await using var first = await Crowd.Begin(old, people: 4, rooms: 2, seed: 1);
            await first.More(50);

            await Unnoticed(first, "the new release's migrations", async () => output.WriteLine(
                await RunningServer.Run("dotnet", [Build.Matrixctl, "migrate", "--config-path", Path.Combine(old.DataFolder, "homeserver.yaml")], start =>
                {
                    foreach (var (key, value) in settings) start.Environment[key] = value;
                })));
            await Unnoticed(first, "old services alone on the new schema", () => first.More(100));
            await using var ours = await RunningServer.Start("e2e.example", settings, "--replicas", "client-api=2", "federation-sender=2");
            await using var second = await Crowd.Begin(old, people: 4, rooms: 2, seed: 2, elsewhere: ours);
            await Unnoticed(first, "both side by side, seen by those who were there before", () => second.More(200));
            await Unnoticed(second, "both side by side, people of the old in a room with people of the new", () => first.More(200));
            await Unnoticed(second, "an old service is restarted on the new schema", () => old.Matrixctl(["restart", "client-api"]));
            await first.Audit();
            await second.Audit();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first.Acknowledged + second.Acknowledged} messages acknowledged"));
        }
        await PrivateStack.Remove(folder, CancellationToken.None);
    }

    async Task Unnoticed(Crowd crowd, string what, Func<Task> action)
    {
        var from = crowd.Trouble.Now;
        await action();
        var failed = crowd.Trouble.Since(from);
        output.WriteLine($"{what}: {(crowd.Trouble.Now - from).TotalSeconds:F1} s, {failed.Count} failed");
        Assert.True(failed.Count == 0, $"{what}:\n{string.Join('\n', failed.Take(10))}");
    }

    static Dictionary<string, string> Settings(PrivateStack stack) => new()
    {
        ["MATRIX__database__args__host"] = StackEndpoint.Host,
        ["MATRIX__database__args__port"] = Text(stack.Postgres!.Port),
        ["MATRIX__database__args__user"] = stack.Postgres.User,
        ["MATRIX__database__args__password"] = stack.Postgres.Password,
        ["MATRIX__database__args__database"] = "matrix",
        ["MATRIX__rabbitmq__host"] = StackEndpoint.Host,
        ["MATRIX__rabbitmq__port"] = Text(stack.RabbitMq!.Port),
        ["MATRIX__rabbitmq__username"] = stack.RabbitMq.User,
        ["MATRIX__rabbitmq__password"] = stack.RabbitMq.Password,
        ["MATRIX__redis__host"] = StackEndpoint.Host,
        ["MATRIX__redis__port"] = Text(stack.Redis!.Port),
        ["MATRIX__redis__password"] = stack.Redis.Password,
    };

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The services of an earlier commit, built in a working tree of their own.</summary>
    sealed class EarlierBuild : IDisposable
    {
        readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("matrix-earlier-").FullName, "tree");

        public string Matrixctl => Path.Combine(_folder, "artifacts", "bin", "Matrix.Ctl", "release", "matrixctl.dll");

        public static async Task<EarlierBuild> Of(string commit)
        {
            var build = new EarlierBuild();
            await RunningServer.Run("git", ["-C", Build.RepositoryRoot, "worktree", "add", "--detach", build._folder, commit]);
            await RunningServer.Run("dotnet", ["build", Path.Combine(build._folder, "Matrix.Run.slnf"), "-c", "Release", "-v", "q", "-p:RunAnalyzers=false"]);
            return build;
        }

        public void Dispose()
        {
            Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
            using var prune = System.Diagnostics.Process.Start("git", ["-C", Build.RepositoryRoot, "worktree", "prune"]);
            prune.WaitForExit();
        }
    }
}
