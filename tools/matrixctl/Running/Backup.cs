using System.Data;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Ctl.Running;

/// <summary>What a backup is of.</summary>
/// <param name="DataFolder">What paths in its configuration begin with.</param>
/// <param name="MediaBucket">The bucket that was left out: what it alone has is not here.</param>
/// <param name="Database">False: the database is saved by other means.</param>
/// <param name="Media">Null in backups by older releases.</param>
sealed record BackupManifest(string ServerName, DateTimeOffset TakenAt, string Program, long Position, string DataFolder, string? MediaBucket = null, bool Database = true, MediaReport? Media = null);

/// <summary>What is not put into a backup.</summary>
sealed record BackupChoice(bool WithDatabase = true, bool WithBucket = true);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupManifest))]
sealed partial class BackupJson : JsonSerializerContext;

/// <summary>
/// A folder with one consistent point of a server: the database as of one snapshot, all media that this snapshot refers to, from disk and from a bucket (bytes never change, so those
/// that are copied later are the same, and a second backup into the folder copies only new ones), the configuration and the signing key. Secret, as a whole.
/// </summary>
sealed class Backup(string folder)
{
    const string Manifest = "backup.json", Dump = "database.dump", Config = "homeserver.yaml", Key = "signing.key";

    /// <summary>Beyond any position that was given out since a backup was taken.</summary>
    const long Leap = 1_000_000_000;

    readonly MediaBackup media = new(folder);

    public async Task<BackupManifest> Take(ServerConfig config, string dataFolder, BackupChoice choice, Action<BackupProgress> progress, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var db = StorageModule.Open(config.Database.ConnectionString);
        var (takenAt, position) = await TakeSnapshot(config.Database, db, choice, progress, ct);
        var report = await media.Take(config.Media, choice.WithBucket, db, progress, ct);
        // only now does the folder change what it is a backup of
        if (choice.WithDatabase) File.Move(In(Dump + ".new"), In(Dump), overwrite: true);
        else File.Delete(In(Dump));
        File.Copy(config.Path, In(Config), overwrite: true);
        if (config.FindSigningKeyPath is { } key) File.Copy(key, In(Key), overwrite: true);
        var manifest = new BackupManifest(config.ServerName, takenAt, SchemaWindow.Program, position, dataFolder,
            choice.WithBucket ? null : config.MediaBucket?.Bucket, choice.WithDatabase, report);
        AtomicFile.Write(In(Manifest), JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest));
        return manifest;
    }

    /// <summary>The database and the list of its media, by one snapshot.</summary>
    async Task<(DateTimeOffset At, long Position)> TakeSnapshot(DatabaseOptions database, NpgsqlDataSource db, BackupChoice choice, Action<BackupProgress> progress, CancellationToken ct)
    {
        progress(new("database", 0, "database"));
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var tx = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        await using var begin = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = 0; SELECT position, pg_export_snapshot(), now() FROM log_head", connection, tx);
        var (position, snapshot, at) = (0L, "", DateTimeOffset.MinValue);
        await using (var row = await begin.ExecuteReaderAsync(ct))
        {
            if (await row.ReadAsync(ct)) (position, snapshot, at) = (row.GetInt64(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2));
        }
        await media.List(connection, ct);
        if (choice.WithDatabase) await RunPostgres("pg_dump", database, ["--format=custom", "--snapshot", snapshot, "--file", In(Dump + ".new")], ct);
        progress(new("database", 1, "database"));
        return (at, position);
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

    /// <summary>Puts media back, then fills an empty database and makes clients that saw what is lost begin afresh: what breaks off before its end can be run again.</summary>
    public async Task<MediaReport> Restore(ServerConfig config, bool withDatabase, Action<BackupProgress> progress, CancellationToken ct)
    {
        await using var db = StorageModule.Open(config.Database.ConnectionString);
        if (withDatabase && await db.GetOne<bool>("SELECT to_regclass('log_head') IS NOT NULL", null, ct))
            throw new StackException($"The database {config.Database.Database} at {config.Database.Host}:{config.Database.Port} is not empty. A backup is restored into an empty one.");
        var copy = await media.Restore(config.Media, progress, ct);
        if (withDatabase) await RestoreDatabase(config.Database, db, progress, ct);
        return await MediaBackup.Report(copy, withDatabase ? db : null, ct);
    }

    async Task RestoreDatabase(DatabaseOptions database, NpgsqlDataSource db, Action<BackupProgress> progress, CancellationToken ct)
    {
        progress(new("database", 0, "database"));
        await RunPostgres("pg_restore", database, ["--no-owner", "--no-privileges", "--exit-on-error", "--dbname", database.Dbname ?? database.Database, In(Dump)], ct);
        await Migrations.Apply(db, ct);
        await using var tx = await db.BeginTransaction(ct);
        await tx.Execute("INSERT INTO log_restores (lost_after, lost_before) SELECT position, position + @Leap FROM log_head", new { Leap }, ct);
        await tx.Execute("UPDATE log_head SET position = position + @Leap", new { Leap }, ct);
        // some were claimed since, and a one-time key is used once; devices make new ones when they see that none are left
        await tx.Execute("DELETE FROM one_time_keys", null, ct);
        await tx.Execute("DELETE FROM leases", null, ct);
        await tx.CommitAsync(ct);
        progress(new("database", 1, "database"));
    }

    string In(string name) => Path.Combine(folder, name);

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
