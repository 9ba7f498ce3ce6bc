using Npgsql;

namespace Matrix.LocalStack;

/// <summary>A private PostgreSQL: passwords over TCP on the loopback only, no socket file, settings for a small machine.</summary>
sealed class PostgresPart(PartContext context)
{
    public const string Name = "postgres", User = "matrix";
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    string DataFolder => Path.Combine(context.Folder(Name), "data");

    /// <summary>The major version of the data below this folder; null when there is none.</summary>
    public static string? DataVersion(string partsFolder)
    {
        var file = Path.Combine(partsFolder, Name, "data", "PG_VERSION");
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    public async Task<BackgroundProcess> Start(StackEndpoint endpoint, CancellationToken ct)
    {
        BackgroundProcess process;
        if (context.Programs.PostgresFolder is not { } programs)
        {
            process = await context.StartContainer(Name, "postgres:17-alpine", endpoint.Port, 5432, "/var/lib/postgresql/data",
                [$"POSTGRES_USER={User}", $"POSTGRES_PASSWORD={endpoint.Password}"], Settings, ct);
        }
        else
        {
            if (!Directory.Exists(DataFolder)) await Initialise(programs, endpoint, ct);
            await ForgetStaleLock(ct);
            context.Options.Report(Name, "starting");
            process = context.Start(Name, context.Account.Run(
                [
                    Path.Combine(programs, "postgres"), "-D", DataFolder, "-p", $"{endpoint.Port}", "-c", "listen_addresses=127.0.0.1",
                    "-c", "unix_socket_directories=", .. Settings,
                ]), endpoint.Port);
        }
        await context.WaitUntil(Name, process, StartLimit, () => Answers(endpoint, ct), ct);
        await CreateDatabase(endpoint, ct);
        return process;
    }

    IReadOnlyList<string> Settings =>
    [
        "-c", "max_connections=300", "-c", "shared_buffers=64MB", "-c", "max_wal_size=512MB", "-c", "wal_level=minimal", "-c", "max_wal_senders=0",
        .. context.Options.Durable ? Array.Empty<string>() : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"],
    ];

    /// <summary>A killed initdb leaves a folder under another name, which the next start throws away.</summary>
    async Task Initialise(string programs, StackEndpoint endpoint, CancellationToken ct)
    {
        context.Options.Report(Name, "creating the database cluster");
        var unfinished = DataFolder + ".new";
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(context.Folder(Name));
        var password = Path.Combine(context.Folder(Name), "password");
        AtomicFile.Write(password, System.Text.Encoding.UTF8.GetBytes(endpoint.Password));
        await context.Account.Own(context.Folder(Name), ct);
        var result = await Shell.Run(context.Account.Run(
            [
                Path.Combine(programs, "initdb"), "-D", unfinished, "-U", User, "--pwfile", password, "--auth=scram-sha-256", "--encoding=UTF8",
                "--locale=C", .. context.Options.Durable ? Array.Empty<string>() : ["--no-sync"],
            ]), ct);
        File.Delete(password);
        if (result.ExitCode != 0) throw new StackException($"initdb failed: {result.Tail}");
        Directory.Move(unfinished, DataFolder);
    }

    /// <summary>
    /// Postgres takes its lock file for valid when any process of its account has the id in it, as happens after a container was restarted.
    /// A process that really works in this data folder is stopped, a lock without one removed.
    /// </summary>
    async Task ForgetStaleLock(CancellationToken ct)
    {
        var file = Path.Combine(DataFolder, "postmaster.pid");
        if (!File.Exists(file)) return;
        if (int.TryParse((await File.ReadAllLinesAsync(file, ct)).FirstOrDefault(), out var pid)
            && ProcessIdentity.Find(pid) is { } process && WorkingFolder(pid) == Path.GetFullPath(DataFolder))
        {
            await process.Stop(TimeSpan.FromSeconds(20), ct, StopManner.Interrupt);
        }
        File.Delete(file);
    }

    static string? WorkingFolder(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static async Task<bool> Answers(StackEndpoint endpoint, CancellationToken ct)
    {
        try
        {
            await using var connection = await Open(endpoint, ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    static async Task CreateDatabase(StackEndpoint endpoint, CancellationToken ct)
    {
        await using var connection = await Open(endpoint, ct);
        await using var find = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = 'matrix'", connection);
        if (await find.ExecuteScalarAsync(ct) is not null) return;
        await using var create = new NpgsqlCommand(
            "CREATE DATABASE matrix TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", connection);
        await create.ExecuteNonQueryAsync(ct);
    }

    static async Task<NpgsqlConnection> Open(StackEndpoint endpoint, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(endpoint.PostgresConnection("postgres") + ";Pooling=false;Timeout=5");
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
