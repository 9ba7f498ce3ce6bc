using System.Globalization;

namespace Matrix.LocalStack;

/// <summary>Where the parts' programs are on this machine; null for what is missing.</summary>
sealed record Programs(string? PostgresFolder, string? RabbitMqServer, string? Epmd, string? RedisServer)
{
    static readonly string[] Folders =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
            "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    // the one in /usr/sbin is a wrapper that changes to the distribution's account and folders
    static readonly string[] RabbitMqServers = ["/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server"];

    /// <param name="postgresVersion">The major version that existing data asks for; null takes the newest.</param>
    public static Programs Find(string? postgresVersion) => new(
        FindPostgres(postgresVersion),
        RabbitMqServers.FirstOrDefault(File.Exists),
        InPath("epmd") ?? Newest("/usr/lib/erlang", "erts-*", "bin/epmd"),
        InPath("redis-server") ?? InPath("valkey-server"));

    /// <summary>The distribution's packages that would bring what is wanted and missing.</summary>
    public IReadOnlyList<string> MissingPackages(StackOptions wanted)
    {
        var missing = new List<string>();
        if (wanted.Postgres && PostgresFolder is null) missing.Add("postgresql");
        if (wanted.RabbitMq && (RabbitMqServer is null || Epmd is null)) missing.Add("rabbitmq-server");
        if (wanted.Redis && RedisServer is null) missing.Add("redis-server");
        return missing;
    }

    static string? FindPostgres(string? version)
    {
        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
        {
            var installed = Directory.GetDirectories(debian)
                .Where(folder => HasPostgres(Path.Combine(folder, "bin")))
                .Where(folder => version is null || Path.GetFileName(folder) == version)
                .MaxBy(folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var number) ? number : 0);
            if (installed is not null) return Path.Combine(installed, "bin");
        }
        return version is null ? Folders.FirstOrDefault(HasPostgres) : null;
    }

    static bool HasPostgres(string folder) => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"));

    static string? InPath(string program) => Folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    static string? Newest(string folder, string pattern, string program) => !Directory.Exists(folder)
        ? null
        : Directory.GetDirectories(folder, pattern).Select(found => Path.Combine(found, program)).Where(File.Exists).Max();
}
