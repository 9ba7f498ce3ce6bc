using Matrix.Ctl.Commands;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;
using Matrix.Protocol;

namespace Matrix.Ctl.Tests;

public sealed class GenerateConfigTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("matrix-config-").FullName;

    string File(string name) => Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static Task<int> Generate(params string[] arguments) =>
        GenerateConfigCommand.Create().Parse(arguments).InvokeAsync(new() { EnableDefaultExceptionHandler = false });

    Task<int> Generate(string file) => Generate("--server-name", "example.org", "--config-path", File(file), "--report-stats=yes");

    [Fact]
    public async Task A_configuration_and_a_signing_key_are_written()
    {
        Assert.Equal(0, await Generate("homeserver.yaml"));

        var config = ServerConfig.Read(File("homeserver.yaml"));
        Assert.Equal("example.org", config.ServerName);
        Assert.True(config.RegistrationSharedSecret!.Length >= 32);
        Assert.False(config.NamesDatabase || config.NamesRabbitMq || config.NamesRedis);
        var text = await System.IO.File.ReadAllTextAsync(File("homeserver.yaml"));
        Assert.Contains("report_stats: true", text, StringComparison.Ordinal);
        Assert.Contains("enable_registration: false", text, StringComparison.Ordinal);
        Assert.Contains($"signing_key_path: \"{File("example.org.signing.key")}\"", text, StringComparison.Ordinal);
        var key = SigningKey.ParseFile(await System.IO.File.ReadAllTextAsync(File("example.org.signing.key")));
        Assert.StartsWith("ed25519:a_", key.KeyId.ToString(), StringComparison.Ordinal);
    }

    [Theory, InlineData("homeserver.yaml"), InlineData("example.org.signing.key")]
    public async Task Only_the_owner_can_read_what_is_secret(string file)
    {
        await Generate("homeserver.yaml");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File(file)));
    }

    [Fact]
    public async Task A_configuration_that_is_there_is_left_alone()
    {
        await System.IO.File.WriteAllTextAsync(File("homeserver.yaml"), "server_name: mine");

        await Assert.ThrowsAsync<StackException>(() => Generate("homeserver.yaml"));

        Assert.Equal("server_name: mine", await System.IO.File.ReadAllTextAsync(File("homeserver.yaml")));
        Assert.False(System.IO.File.Exists(File("example.org.signing.key")));
    }

    [Fact]
    public async Task A_signing_key_that_is_there_is_taken_and_left_alone()
    {
        const string key = "ed25519 a_mine AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
        await System.IO.File.WriteAllTextAsync(File("example.org.signing.key"), key);

        Assert.Equal(0, await Generate("homeserver.yaml"));

        Assert.Equal(key, await System.IO.File.ReadAllTextAsync(File("example.org.signing.key")));
    }

    [Fact]
    public async Task Two_servers_have_different_secrets_and_keys()
    {
        await Generate("one/homeserver.yaml");
        await Generate("two/homeserver.yaml");

        var (one, two) = (ServerConfig.Read(File("one/homeserver.yaml")), ServerConfig.Read(File("two/homeserver.yaml")));
        Assert.NotEqual(one.RegistrationSharedSecret, two.RegistrationSharedSecret);
        Assert.NotEqual(
            await System.IO.File.ReadAllTextAsync(File("one/example.org.signing.key")),
            await System.IO.File.ReadAllTextAsync(File("two/example.org.signing.key")));
    }

    [Theory, InlineData("not a name"), InlineData("-x/y"), InlineData("")]
    public async Task A_name_that_no_server_can_have_is_refused(string name)
    {
        await Assert.ThrowsAsync<StackException>(() =>
            Generate("--server-name", name, "--config-path", File("homeserver.yaml"), "--report-stats=no"));

        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task Report_stats_is_yes_or_no() =>
        Assert.NotEqual(0, await Generate("--server-name", "example.org", "--config-path", File("homeserver.yaml"), "--report-stats=maybe"));
}
