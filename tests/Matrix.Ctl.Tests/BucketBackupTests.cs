using System.Security.Cryptography;
using System.Text.Json;
using Matrix.Ctl.Running;
using Matrix.Storage;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Ctl.Tests;

/// <summary>Media of a bucket are saved and put back by the command line; nothing runs but what they lie in.</summary>
public sealed class BucketBackupTests : IAsyncLifetime
{
    readonly string root = Directory.CreateTempSubdirectory("matrix-backup-").FullName;
    readonly List<TestDatabase> databases = [];
    S3Server bucket = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    string Saved => Path.Combine(root, "saved");

    public async ValueTask InitializeAsync()
    {
        bucket = await S3Server.Start();
        databases.Add(await TestDatabase.Create(Ct));
        databases.Add(await TestDatabase.CreateEmpty(Ct));
    }

    public async ValueTask DisposeAsync()
    {
        await bucket.DisposeAsync();
        foreach (var database in databases) await database.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task Media_of_a_bucket_is_saved_once_and_put_back_and_what_is_lost_is_named()
    {
        byte[] kept = RandomNumberGenerator.GetBytes(100_000), whole = [7, 8, 9], lost = [1, 2, 3], damaged = [4, 5, 6];
        foreach (var (name, content) in new[] { ("kept", kept), ("whole", whole), ("lost", lost), ("damaged", damaged) }) await Store(name, content);
        bucket.Objects.TryAdd("content/" + new string('0', 64), [7]); // of nobody: it is not asked for
        bucket.Objects[Key(damaged)] = [6, 5, 4];
        bucket.Objects.Remove(Key(lost), out _);

        var first = await Backup(3);
        Assert.Equal((4, 2, 100_003, 0, 2), (first.Total, first.Copied, first.CopiedBytes, first.AlreadyThere, first.LostCount));
        Assert.Equal(["damaged mxc://saved.example/damaged", "missing mxc://saved.example/lost"], first.Lost.Select(content => $"{content.Fault} {content.Media.Single()}").Order());

        // what has come is not fetched again, but for a file that somebody cut short
        bucket.Objects[Key(damaged)] = damaged;
        bucket.Objects[Key(lost)] = lost;
        await File.WriteAllBytesAsync(FileOf(kept), kept[..10], Ct);
        var asked = bucket.Reads;
        var second = await Backup(0);
        Assert.Equal((4, 3, 1, 0), (second.Total, second.Copied, second.AlreadyThere, second.LostCount));
        Assert.Equal(asked + 3, bucket.Reads);

        // into an empty bucket, from a backup in which something has rotted
        bucket.Objects.Clear();
        await File.WriteAllBytesAsync(FileOf(lost), [3, 2, 1], Ct);
        var (exit, restored) = await Run(databases[1], "restore", "--from", Saved, "--data", Path.Combine(root, "new"));
        Assert.Equal(3, exit);
        Assert.Equal(["damaged mxc://saved.example/lost"], restored.Media!.Lost.Select(content => $"{content.Fault} {content.Media.Single()}"));
        Assert.Equal(new[] { Key(kept), Key(whole), Key(damaged) }.Order(), bucket.Objects.Keys.Order());
        Assert.Equal(kept, bucket.Objects[Key(kept)]);
        Assert.Equal(damaged, bucket.Objects[Key(damaged)]);
        await using var db = NpgsqlDataSource.Create(databases[1].ConnectionString);
        Assert.Equal(4, await db.GetOne<long>("SELECT count(*) FROM media", null, Ct));
    }

    [Fact]
    public async Task A_bucket_that_is_left_out_is_said_to_be_and_serves_a_restore_that_finds_it()
    {
        byte[] content = [1, 2, 3];
        await Store("kept", content);
        await File.WriteAllTextAsync(Config, "server_name: saved.example\n", Ct);
        var taken = await Tool.Matrixctl(Environment(databases[0]), "backup", "--config-path", Config, "--data", root, "--to", Saved, "--without-bucket");
        Assert.True(taken.ExitCode == 0, taken.Output);
        Assert.Contains("What lies in the bucket media is not in it (1 contents, 0.0 MiB)", taken.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);

        var (exit, restored) = await Run(databases[1], "restore", "--from", Saved, "--data", Path.Combine(root, "new"));
        Assert.Equal((0, 1, 0), (exit, restored.Media!.AlreadyThere, restored.Media.LostCount));

        // one that does not answer stops a backup, and leaves the one before as it is
        var before = await File.ReadAllTextAsync(Path.Combine(Saved, "backup.json"), Ct);
        var wrong = new Dictionary<string, string>(Environment(databases[0])) { ["MATRIX__media_s3__bucket"] = "another" };
        var failed = await Tool.Matrixctl(wrong, "backup", "--config-path", Config, "--data", root, "--to", Saved, "--json");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("Media cannot be copied", failed.Output, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(Saved, "backup.json"), Ct));
    }

    string FileOf(byte[] content) =>
        Directory.GetFiles(Path.Combine(Saved, "media"), Convert.ToHexStringLower(SHA256.HashData(content)), SearchOption.AllDirectories).Single();

    string Config => Path.Combine(root, "homeserver.yaml");

    async Task<MediaReport> Backup(int expected, params string[] options)
    {
        var (exit, manifest) = await Run(databases[0], ["backup", "--config-path", Config, "--data", root, "--to", Saved, .. options]);
        Assert.Equal(expected, exit);
        return manifest.Media!;
    }

    async Task<(int Exit, BackupManifest Manifest)> Run(TestDatabase database, params string[] arguments)
    {
        await File.WriteAllTextAsync(Config, "server_name: saved.example\n", Ct);
        var (exit, output) = await Tool.Matrixctl(Environment(database), [.. arguments, "--json"]);
        Assert.True(output.Contains("\"server_name\"", StringComparison.Ordinal), output);
        return (exit, JsonSerializer.Deserialize(output, BackupJson.Default.BackupManifest)!);
    }

    Dictionary<string, string> Environment(TestDatabase database)
    {
        var at = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        return new()
        {
            ["MATRIX__database__args__host"] = at.Host!, ["MATRIX__database__args__port"] = $"{at.Port}", ["MATRIX__database__args__user"] = at.Username!,
            ["MATRIX__database__args__password"] = at.Password ?? "", ["MATRIX__database__args__database"] = at.Database!,
            ["MATRIX__media_stores"] = "s3", ["MATRIX__media_s3__endpoint"] = bucket.Url, ["MATRIX__media_s3__bucket"] = S3Server.Bucket,
            ["MATRIX__media_s3__region"] = S3Server.Region, ["MATRIX__media_s3__access_key_id"] = S3Server.AccessKey, ["MATRIX__media_s3__secret_access_key"] = S3Server.Secret,
        };
    }

    async Task Store(string name, byte[] content)
    {
        bucket.Objects[Key(content)] = content;
        var (hash, size, db) = (SHA256.HashData(content), content.Length, databases[0].Db);
        await db.Execute("INSERT INTO media_contents (content_hash, size, claimed_at) VALUES (@hash, @size, now())", new { hash, size }, Ct);
        await db.Execute(
            """
            INSERT INTO media (origin, media_id, content_hash, size, content_type, authenticated, created_at, last_access)
            VALUES ('saved.example', @name, @hash, @size, 'image/png', true, now(), now())
            """, new { name, hash, size }, Ct);
    }

    static string Key(byte[] content) => "content/" + Convert.ToHexStringLower(SHA256.HashData(content));
}
