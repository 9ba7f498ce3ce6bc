using System.Globalization;
using System.Text.Json.Nodes;
using Matrix.Storage;
using Matrix.Storage.Jobs;
using Npgsql;

namespace Matrix.Ctl.Running;

/// <summary>A service that follows the log durably, and how many entries it has not dealt with.</summary>
sealed record FollowerStatus(string Name, long Behind);

/// <summary>What the database says of a server: its schema, how far the log and those who follow it are, and the long work in the background.</summary>
sealed record DatabaseStatus(string Schema, long LogPosition, IReadOnlyList<FollowerStatus> Followers, IReadOnlyList<JobProgress> Jobs)
{
    /// <summary>Null where the database does not answer, or its schema is older than this.</summary>
    public static async Task<DatabaseStatus?> Find(DatabaseOptions options, CancellationToken ct)
    {
        try
        {
            await using var db = StorageModule.Open(options.ConnectionString);
            var applied = await Migrations.ListApplied(db, ct);
            var position = await db.GetOne<long>("SELECT position FROM log_head", null, ct);
            var followers = await db.List<FollowerStatus>(
                """
                SELECT name, (SELECT count(*) FROM log WHERE log.position > f.position AND log.position <= @position) AS behind FROM (
                    SELECT 'search' AS name, position FROM search_cursor
                    UNION ALL SELECT 'pusher', min(position) FROM push_shards
                    UNION ALL SELECT 'federation-sender', min(position) FROM federation_shards) f
                WHERE position IS NOT NULL ORDER BY name
                """, new { position }, ct);
            return new(applied[^1], position, followers, await new BackgroundJobStore(db).List(ct));
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    public IEnumerable<string> Lines()
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"Schema {Schema}, log at {LogPosition}; behind it: {string.Join(", ", Followers.Select(follower => $"{follower.Name} {follower.Behind}"))}");
        foreach (var job in Jobs)
        {
            var end = job.EndedAt is { } ended ? $"done at {ended.ToLocalTime():yyyy-MM-dd HH:mm}" : $"{job.Part:P0}, {Left(job)}";
            yield return string.Create(CultureInfo.InvariantCulture, $"Background job {job.Name}: {end}, {job.Rows} rows{(job.Failure is null ? "" : $"; failed last: {job.Failure}")}");
        }
    }

    public JsonObject InJson() => new()
    {
        ["schema"] = Schema,
        ["log_position"] = LogPosition,
        ["behind"] = new JsonObject(Followers.Select(follower => KeyValuePair.Create(follower.Name, (JsonNode?)follower.Behind))),
        ["jobs"] = new JsonArray([.. Jobs.Select(job => new JsonObject
        {
            ["name"] = job.Name, ["done"] = Math.Round(job.Part, 4), ["rows"] = job.Rows, ["begun_at"] = job.BegunAt.ToString("O", CultureInfo.InvariantCulture),
            ["ended_at"] = job.EndedAt?.ToString("O", CultureInfo.InvariantCulture), ["failure"] = job.Failure,
        })]),
    };

    // as fast as so far
    static string Left(JobProgress job) =>
        job.Part > 0 && (job.UpdatedAt - job.BegunAt) * (1 / job.Part - 1) is var left && left > TimeSpan.FromSeconds(1)
            ? string.Create(CultureInfo.InvariantCulture, $"some {(left.TotalHours >= 1 ? $"{left.TotalHours:F0} h" : left.TotalMinutes >= 1 ? $"{left.TotalMinutes:F0} min" : $"{left.TotalSeconds:F0} s")} left")
            : "about to end";
}
