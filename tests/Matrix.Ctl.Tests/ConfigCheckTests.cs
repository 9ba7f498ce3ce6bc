using System.Text.Json;
using Matrix.Ctl.Commands;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;

namespace Matrix.Ctl.Tests;

/// <summary><c>matrixctl config check</c>, which asks every service's own program.</summary>
public sealed class ConfigCheckTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("matrix-config-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("server_name: [example.org", "not YAML"), InlineData("server_name: example.org\nfoo: 'open\n", ":2: not YAML"), InlineData(null, "cannot be read")]
    public async Task A_file_that_cannot_be_read_is_told_as_that(string? text, string reason)
    {
        var file = Path.Combine(folder, "homeserver.yaml");
        if (text is not null) await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        Assert.Contains(reason, Assert.Single(ServerConfig.FindMistakes(file)), StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<StackException>(() => ServerConfig.Read(file)).Message, StringComparison.Ordinal);
        Assert.Equal(1, await ConfigCommand.Create().Parse(["check", file, "--json"]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Mistakes_and_keys_that_no_service_knows_are_told_with_what_was_meant()
    {
        var file = Path.Combine(folder, "homeserver.yaml");
        Assert.Equal(0, await GenerateConfigCommand.Create().Parse(["--server-name", "example.org", "--config-path", file, "--report-stats=yes"]).InvokeAsync());
        await File.AppendAllTextAsync(file, """
            x_forwarded: true
            max_upload_size: lots
            rc_mesage: {per_second: 5}
            overload: {queueing_time: 30ms, pacience: 1s}
            modules: [{module: somebody.elses}]
            """, TestContext.Current.CancellationToken);

        var check = await Tool.Matrixctl("config", "check", file, "--json");

        Assert.Equal(1, check.ExitCode);
        using var said = JsonDocument.Parse(check.Output);
        Assert.Equal(["max_upload_size: 'lots' is not a size such as 500K, 50M, 1G"], said.RootElement.GetProperty("mistakes").EnumerateArray().Select(mistake => mistake.GetString()));
        Assert.Equal([("modules.0.module", null), ("overload.pacience", "overload.patience"), ("rc_mesage.per_second", "rc_message.per_second")],
            said.RootElement.GetProperty("unknown").EnumerateArray().Select(one => (one.GetProperty("key").GetString()!, one.GetProperty("like").GetString())).Order());
    }

    [Theory]
    [InlineData("federation: {client_timeout: soon}\nserve_server_wellknown: yes\n", "federation.client_timeout: 'soon' is not of the kind duration")]
    [InlineData("federation_verify_certificates: perhaps\n", "federation_verify_certificates: 'perhaps' is not of the kind Boolean (true or false)")]
    public async Task A_value_is_told_by_its_key_whoever_reads_it(string lines, string mistake)
    {
        var file = Path.Combine(folder, "homeserver.yaml");
        Assert.Equal(0, await GenerateConfigCommand.Create().Parse(["--server-name", "example.org", "--config-path", file, "--report-stats=yes"]).InvokeAsync());
        await File.AppendAllTextAsync(file, $"x_forwarded: maybe\n{lines}", TestContext.Current.CancellationToken);

        using var said = JsonDocument.Parse((await Tool.Matrixctl("config", "check", file, "--json")).Output);

        Assert.Equal([mistake, "x_forwarded: 'maybe' is not true or false"],
            said.RootElement.GetProperty("mistakes").EnumerateArray().Select(one => one.GetString()).Order());
    }

    [Fact]
    public async Task What_is_wrong_with_partial_joins_does_not_end_the_check()
    {
        var file = Path.Combine(folder, "homeserver.yaml");
        Assert.Equal(0, await GenerateConfigCommand.Create().Parse(["--server-name", "example.org", "--config-path", file, "--report-stats=yes"]).InvokeAsync());
        await File.AppendAllTextAsync(file, "partial_joins: {enabled: maybe, patience: soon, silence: 1h}\ndatabase: {auto_migrate: perhaps}\n", TestContext.Current.CancellationToken);

        using var said = JsonDocument.Parse((await Tool.Matrixctl("config", "check", file, "--json")).Output);

        Assert.Equal(
            [
                "database.auto_migrate: 'perhaps' is not true or false",
                "partial_joins.enabled: 'maybe' is not true or false",
                "partial_joins.patience: 'soon' is not a duration such as 500ms, 30s, 5m",
                "partial_joins.silence: must be between 100ms and 10m",
            ],
            said.RootElement.GetProperty("mistakes").EnumerateArray().Select(mistake => mistake.GetString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_key_that_a_new_file_shows_is_known()
    {
        var file = Path.Combine(folder, "homeserver.yaml");
        Assert.Equal(0, await GenerateConfigCommand.Create().Parse(["--server-name", "example.org", "--config-path", file, "--report-stats=yes"]).InvokeAsync());
        // a key stands right behind the #, or deeper; words have one space
        var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        var shown = lines.Select(line => line.Length > 1 && line[0] == '#' && (char.IsAsciiLetterLower(line[1]) || line.StartsWith("#  ", StringComparison.Ordinal)) ? line[1..] : line).ToList();
        await File.WriteAllLinesAsync(file, shown, TestContext.Current.CancellationToken);

        using var said = JsonDocument.Parse((await Tool.Matrixctl("config", "check", file, "--json")).Output);

        Assert.True(shown.Count(line => !line.StartsWith('#')) > 60);
        Assert.Empty(said.RootElement.GetProperty("unknown").EnumerateArray());
    }
}
