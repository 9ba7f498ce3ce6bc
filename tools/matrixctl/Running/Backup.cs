using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;
using Matrix.Storage;

namespace Matrix.Ctl.Running;

/// <summary>
/// What a backup is of. <c>DataFolder</c>: what paths in its configuration begin with. <c>MediaBucket</c>: where media lie that are not in it.
/// </summary>
sealed record BackupManifest(string ServerName, DateTimeOffset TakenAt, string Program, long Position, string DataFolder, string? MediaBucket = null);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupManifest))]
sealed partial class BackupJson : JsonSerializerContext;

/// <summary>
/// A folder with one consistent point of a server: the database as of one snapshot, all media of that time (files never change, so those that are copied
/// later are the same, and a second backup into the folder copies only new ones), the configuration and the signing key. Secret, as a whole.
/// </summary>
sealed class Backup(string folder)
{
    const string Manifest = "backup.json", Dump = "database.dump", Config = "homeserver.yaml", Key = "signing.key", Media = "media";

    /// <summary>Beyond any position that was given out since a backup was taken.</summary>
    const long Leap = 1_000_000_000;

    public async Task<BackupManifest> Take(ServerConfig config, string dataFolder, Action<string, double> progress, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        progress("database", 0);
        var database = config.Database;
        long position;
        await using (var db = StorageModule.Open(database.ConnectionString))
            position = await db.GetOne<long>("SELECT position FROM log_head", null, ct);
        await RunPostgres("pg_dump", database, ["--format=custom", "--file", In(Dump + ".new")], ct);
        File.Move(In(Dump + ".new"), In(Dump), overwrite: true);
        progress("database", 1);
        if (config.MediaStorePath is { } media && Directory.Exists(media)) Copy(media, In(Media), done => progress("media", done), ct);
        File.Copy(config.Path, In(Config), overwrite: true);
        if (config.FindSigningKeyPath is { } key) File.Copy(key, In(Key), overwrite: true);
        var manifest = new BackupManifest(config.ServerName, TimeProvider.System.GetUtcNow(), SchemaWindow.Program, position, dataFolder, config.MediaBucket?.Bucket);
        AtomicFile.Write(In(Manifest), JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest));
        return manifest;
    }

    public BackupManifest Read() => File.Exists(In(Manifest))
        ? JsonSerializer.Deserialize(File.ReadAllBytes(In(Manifest)), BackupJson.Default.BackupManifest)!
        : throw new StackException($"{folder} holds no whole backup: {Manifest} is missing.");

    /// <summary>Puts configuration and key where they are missing; paths that began with the old data folder begin with the new one.</summary>
    public string RestoreConfiguration(BackupManifest manifest, string dataFolder)
    {
        Directory.CreateDirectory(dataFolder);
        var path = Path.Combine(dataFolder, Config);
        if (!File.Exists(path)) AtomicFile.Write(path, File.ReadAllBytes(In(Config)).ReplaceText(manifest.DataFolder, dataFolder));
        var config = ServerConfig.Read(path);
        if (config.FindSigningKeyPath is { } key && !File.Exists(key)) AtomicFile.Write(key, File.ReadAllBytes(In(Key)));
        return path;
    }

    /// <summary>Fills an empty database, and makes clients that saw what is lost begin afresh.</summary>
    public async Task RestoreDatabase(DatabaseOptions database, Action<string, double> progress, CancellationToken ct)
    {
        await using var db = StorageModule.Open(database.ConnectionString);
        if (await db.GetOne<bool>("SELECT to_regclass('log_head') IS NOT NULL", null, ct))
            throw new StackException($"The database {database.Database} at {database.Host}:{database.Port} is not empty. A backup is restored into an empty one.");
        progress("database", 0);
        await RunPostgres("pg_restore", database, ["--no-owner", "--no-privileges", "--exit-on-error", "--dbname", database.Dbname ?? database.Database, In(Dump)], ct);
        await Migrations.Apply(db, ct);
        await using var tx = await db.BeginTransaction(ct);
        await tx.Execute("INSERT INTO log_restores (lost_after, lost_before) SELECT position, position + @Leap FROM log_head", new { Leap }, ct);
        await tx.Execute("UPDATE log_head SET position = position + @Leap", new { Leap }, ct);
        // some were claimed since, and a one-time key is used once; devices make new ones when they see that none are left
        await tx.Execute("DELETE FROM one_time_keys", null, ct);
        await tx.Execute("DELETE FROM leases", null, ct);
        await tx.CommitAsync(ct);
        progress("database", 1);
    }

    public void RestoreMedia(ServerConfig config, Action<string, double> progress, CancellationToken ct)
    {
        if (config.MediaStorePath is { } media && Directory.Exists(In(Media))) Copy(In(Media), media, done => progress("media", done), ct);
    }

    string In(string name) => Path.Combine(folder, name);

    static void Copy(string from, string to, Action<double> progress, CancellationToken ct)
    {
        var files = Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).ToList();
        for (var i = 0; i < files.Count; i++)
        {
            ct.ThrowIfCancellationRequested();
            var target = Path.Combine(to, Path.GetRelativePath(from, files[i]));
            var source = new FileInfo(files[i]);
            if (!source.Exists || (File.Exists(target) && new FileInfo(target).Length == source.Length)) continue; // removed meanwhile, or copied before
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(files[i], target + ".new", overwrite: true);
            File.Move(target + ".new", target, overwrite: true);
            progress((i + 1.0) / files.Count);
        }
        progress(1);
    }

    static async Task RunPostgres(string program, DatabaseOptions database, IEnumerable<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(PrivateStack.FindPostgresProgram(program), arguments) { RedirectStandardError = true };
        start.Environment["PGHOST"] = database.Host;
        start.Environment["PGPORT"] = $"{database.Port}";
        start.Environment["PGUSER"] = database.User;
        start.Environment["PGPASSWORD"] = database.Password;
        start.Environment["PGDATABASE"] = database.Dbname ?? database.Database;
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0) throw new StackException($"{program} failed: {error.Trim()}");
    }
}

static class BackupText
{
    public static byte[] ReplaceText(this byte[] text, string old, string replacement) =>
        System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(text).Replace(old, replacement, StringComparison.Ordinal));
}
