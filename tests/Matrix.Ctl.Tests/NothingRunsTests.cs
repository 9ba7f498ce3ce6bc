using System.Text.Json;
using Matrix.LocalStack;

namespace Matrix.Ctl.Tests;

/// <summary>What the commands say and do where a data folder has no running server.</summary>
public sealed class NothingRunsTests : IAsyncDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("matrix-quiet-").FullName;

    public NothingRunsTests() => File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);

    public ValueTask DisposeAsync() => new(PrivateStack.Remove(folder, default));

    [Fact]
    public async Task Doctor_says_that_nothing_runs()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "homeserver.yaml"), "server_name: example.org\n", TestContext.Current.CancellationToken);

        var doctor = await Tool.Matrixctl("doctor", "--data", folder, "--json");

        Assert.Equal(1, doctor.ExitCode);
        using var said = JsonDocument.Parse(doctor.Output);
        Assert.Contains($"nothing runs in {folder}", Assert.Single(said.RootElement.EnumerateArray()).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Down_deletes_data_wherever_it_lies()
    {
        await using (await PrivateStack.Start(new() { DataFolder = folder, Durable = false, RabbitMq = false, Redis = false }, default)) { }
        using var stack = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "stack.json"), TestContext.Current.CancellationToken));
        var parts = stack.RootElement.GetProperty("parts_folder").GetString();
        Assert.True(Directory.Exists(parts));

        var down = await Tool.Matrixctl("down", "--data", folder, "--delete-data");

        Assert.True(down.ExitCode == 0, down.Output);
        Assert.False(Directory.Exists(folder));
        Assert.False(Directory.Exists(parts));
    }

    [Fact]
    public async Task Down_deletes_no_folder_that_no_server_ran_in()
    {
        var other = Path.Combine(folder, "letters");
        await File.WriteAllTextAsync(other, "Dear Bob", TestContext.Current.CancellationToken);

        var down = await Tool.Matrixctl("down", "--data", folder, "--delete-data");

        Assert.Equal(1, down.ExitCode);
        Assert.Contains("left as it is", down.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.True(File.Exists(other));
    }
}
