using Matrix.Ctl.Configuration;
using Matrix.Hosting.Configuration;
using Matrix.LocalStack;
using Matrix.Protocol;
using Microsoft.Extensions.Configuration;

namespace Matrix.Ctl.Tests;

public sealed class SigningKeyTests : IDisposable
{
    static readonly DateTimeOffset s_now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    readonly string folder = Directory.CreateTempSubdirectory("matrix-key-").FullName;

    string Config => Path.Combine(folder, "homeserver.yaml");

    string Key => Path.Combine(folder, "signing.key");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    IConfiguration Read()
    {
        var builder = new ConfigurationBuilder();
        builder.Sources.Add(new YamlConfigurationSource(Config));
        return builder.Build();
    }

    [Fact]
    public async Task A_rotated_key_is_listed_among_the_old_ones_with_all_before_it()
    {
        await File.WriteAllTextAsync(Config, "# mine\nserver_name: example.org\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Key, SigningKeyFile.New(), TestContext.Current.CancellationToken);
        using var first = SigningKey.ParseFile(await File.ReadAllTextAsync(Key, TestContext.Current.CancellationToken));

        var (old, second) = SigningKeyFile.Rotate(Config, Key, s_now);
        Assert.Equal(first.KeyId, old);
        Assert.Equal(first.VerifyKey.ToString(), Find(old));
        SigningKeyFile.Rotate(Config, Key, s_now.AddDays(1));

        var text = await File.ReadAllTextAsync(Config, TestContext.Current.CancellationToken);
        Assert.StartsWith("# mine\nserver_name: example.org\n", text, StringComparison.Ordinal);
        Assert.Equal(first.VerifyKey.ToString(), Find(old));
        Assert.NotNull(Find(second));
        Assert.Equal(2, Read().GetSection("old_signing_keys:ed25519").GetChildren().Count());
    }

    // the colon in a key id is the one that separates the levels of configuration
    string? Find(KeyId id) => Read()[$"old_signing_keys:{id}:key"];

    [Fact]
    public async Task A_list_of_old_keys_in_one_line_is_left_to_the_operator()
    {
        await File.WriteAllTextAsync(Config, "old_signing_keys: {}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Key, SigningKeyFile.New(), TestContext.Current.CancellationToken);
        var before = await File.ReadAllTextAsync(Key, TestContext.Current.CancellationToken);
        Assert.Throws<StackException>(() => SigningKeyFile.Rotate(Config, Key, s_now));
        Assert.Equal(before, await File.ReadAllTextAsync(Key, TestContext.Current.CancellationToken));
    }
}
