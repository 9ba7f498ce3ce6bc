using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Amazon.Runtime;
using Matrix.Ctl.Configuration;
using Matrix.Storage;
using Matrix.Storage.Media;
using Npgsql;

namespace Matrix.Ctl.Doctor;

/// <summary>Is what it stands on there, and set up well?</summary>
sealed class BackendChecks(ServerConfig config, TimeProvider time)
{
    const int OldestPostgres = 130000;
    const long LittleSpace = 5L << 30, NoSpace = 256L << 20;

    public async Task<IReadOnlyList<Finding>> Run(CancellationToken ct) =>
    [
        .. await Postgres(ct),
        await Answers("RabbitMQ", config.RabbitMq, "AMQP\0\0\u0009\u0001", "AMQP handshake", reply => reply.Length > 0 && reply[0] == 1,
            "Followers ask Postgres a few times a second until it is back: slower, nothing is lost.", ct),
        await Answers("Redis", config.Redis, "PING\r\n", "PING", reply => reply.StartsWith("+PONG"u8) || reply.StartsWith("-NOAUTH"u8),
            "Typing is forgotten and limits are counted in each process until it is back.", ct),
        .. await Bucket(ct),
        Disk(),
        SigningKey(),
    ];

    async Task<IReadOnlyList<Finding>> Postgres(CancellationToken ct)
    {
        const string check = "Postgres";
        try
        {
            await using var db = StorageModule.Open(config.Database.ConnectionString);
            var found = await db.GetOne<Settings>(
                """
                SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
                    current_setting('full_page_writes') AS full_page_writes, current_setting('autovacuum') AS autovacuum,
                    current_setting('max_connections')::int AS max_connections, pg_size_bytes(current_setting('shared_buffers')) AS shared_buffers,
                    (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
                    pg_database_size(current_database()) AS size, extract(epoch FROM now())::float8 AS now
                """, null, ct);
            List<Finding> findings = [found.Version < OldestPostgres
                ? Finding.Bad(check, $"version {found.Version / 10000}", "13 or later is needed.")
                : Finding.Well(check, $"version {found.Version / 10000}, {found.Size >> 20} MiB")];
            findings.AddRange(found.Mistakes());
            var off = Math.Abs((time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds - found.Now);
            if (off > 5) findings.Add(Finding.Warning(check, $"its clock is {off.ToString("0", CultureInfo.InvariantCulture)} s from this machine's", "See to time synchronisation on both."));
            findings.Add(await Schema(db, ct));
            return findings;
        }
        catch (NpgsqlException e)
        {
            return [Finding.Bad(check, $"{config.Database.Host}:{config.Database.Port}: {e.Message}", "Nothing works without it. Is it running, and are database.args right?")];
        }
    }

    static async Task<Finding> Schema(NpgsqlDataSource db, CancellationToken ct)
    {
        try
        {
            await SchemaWindow.Check(db, ct);
            return Finding.Well("schema", $"fits {SchemaWindow.Program}");
        }
        catch (SchemaMismatchException e)
        {
            return Finding.Warning("schema", e.Message, "'matrixctl migrate', or a start of the services, brings it up to date.");
        }
    }

    static async Task<Finding> Answers(string part, (string Host, int Port)? at, string say, string what, Func<ReadOnlySpan<byte>, bool> isRight, string meanwhile, CancellationToken ct)
    {
        if (at is not { } place) return Finding.Well(part, "not named in the configuration: 'matrixctl up' starts its own");
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            using var client = new TcpClient();
            await client.ConnectAsync(place.Host, place.Port, limit.Token);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(say), limit.Token);
            var reply = new byte[64];
            var read = await stream.ReadAsync(reply, limit.Token);
            return isRight(reply.AsSpan(0, read))
                ? Finding.Well(part, $"{place.Host}:{place.Port} answers")
                : Finding.Bad(part, $"{place.Host}:{place.Port} does not answer {what} as {part} does", "Is something else on that port?");
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return Finding.Bad(part, $"{place.Host}:{place.Port}: {(e is OperationCanceledException ? "no answer" : e.Message)}", meanwhile);
        }
    }

    async Task<IReadOnlyList<Finding>> Bucket(CancellationToken ct)
    {
        const string check = "S3";
        if (config.MediaBucket is not { } bucket) return [];
        var place = $"bucket {bucket.Bucket} at {bucket.Endpoint ?? bucket.Region}";
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            using var store = new S3ContentStore(bucket, time);
            await store.Ask(limit.Token);
            return [Finding.Well(check, $"{place} answers")];
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or ArgumentException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            return [Finding.Bad(check, $"{place}: {e.Message}", "Are media_s3.endpoint, region, bucket and the credentials right, and may these read, write and list?")];
        }
    }

    Finding Disk()
    {
        var folder = config.MediaStorePath ?? Environment.CurrentDirectory;
        // before the first upload it is not there yet: it will be where its nearest parent is
        for (var up = Path.GetDirectoryName(Path.GetFullPath(folder)); !Directory.Exists(folder) && up is not null; up = Path.GetDirectoryName(up)) folder = up;
        var free = new DriveInfo(folder).AvailableFreeSpace;
        return free < NoSpace ? Finding.Bad("disk", $"{free >> 20} MiB are free at {folder}", "It is full: uploads fail, and so does Postgres if it is on the same disk. Make room, or move media_store_path.")
            : free < LittleSpace
            ? Finding.Warning("disk", $"{free >> 20} MiB are free at {folder}", "Uploads fail when it is full: make room, or move media_store_path.")
            : Finding.Well("disk", $"{free >> 30} GiB are free at {folder}");
    }

    Finding SigningKey()
    {
        const string check = "signing key file";
        var path = config.FindSigningKeyPath;
        if (path is null || !File.Exists(path)) return Finding.Warning(check, $"{path ?? "signing_key_path"} is not there", "Fine if the services have it elsewhere; a lost key cannot be made again.");
        return (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0
            ? Finding.Bad(check, $"{path} can be read by everybody on this machine", $"chmod 600 {path}")
            : Finding.Well(check, path);
    }

    sealed record Settings(int Version, string Fsync, string SynchronousCommit, string FullPageWrites, string Autovacuum, int MaxConnections, long SharedBuffers, string Encoding, long Size, double Now)
    {
        public IEnumerable<Finding> Mistakes()
        {
            if (Encoding != "UTF8") yield return Finding.Bad("Postgres", $"encoding {Encoding}", "The database must be made anew with ENCODING UTF8.");
            if (Fsync != "on" || FullPageWrites != "on") yield return Finding.Bad("Postgres", "fsync or full_page_writes is off", "A power cut destroys the database. Turn both on.");
            if (SynchronousCommit == "off") yield return Finding.Bad("Postgres", "synchronous_commit is off", "Acknowledged messages are lost in a crash, and other servers never send them again. Turn it on.");
            if (Autovacuum != "on") yield return Finding.Bad("Postgres", "autovacuum is off", "Tables grow without end. Turn it on.");
            if (MaxConnections < 100) yield return Finding.Warning("Postgres", $"max_connections is {MaxConnections}", "Each process opens up to database.args.cp_max: raise it, or put PgBouncer in session mode before it.");
            if (SharedBuffers < 256L << 20) yield return Finding.Warning("Postgres", $"shared_buffers is {SharedBuffers >> 20} MiB", "A quarter of its memory is usual.");
        }
    }
}
