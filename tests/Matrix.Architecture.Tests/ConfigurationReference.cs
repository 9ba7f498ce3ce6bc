using System.Text;

namespace Matrix.Architecture.Tests;

/// <summary>docs/operations/configuration.md: every key of homeserver.yaml, where an operator looks for it.</summary>
static class ConfigurationReference
{
    public const string Path = "docs/operations/configuration.md";

    /// <summary>Letters that there is room for in a column; a longer one comes behind the text.</summary>
    const int LongestDefault = 60;

    /// <summary>A group of keys: of options classes, and of single keys, which it takes from the groups that name their classes.</summary>
    sealed record Group(string Title, string[] Classes, string[] Keys, string Intro = "");

    static readonly Group[] s_groups =
    [
        new("The server", ["HomeserverOptions"], ["signing_key_path", "old_signing_keys", "key_refresh_interval", "serve_server_wellknown", "admin_contact", "support_page"]),
        new("Listening", ["ListenOptions", "TlsOptions", "ProxyOptions", "ShutdownOptions"], []),
        new("Gateway", ["GatewayOptions"], [], "`matrixctl up`, Compose and the chart say where the replicas are; a file need not."),
        new("Database", ["DatabaseOptions", "SchemaOptions"], []),
        new("RabbitMQ and Redis", ["RabbitMqOptions", "RedisOptions"], []),
        new("Caches", ["CacheOptions"], [], "[Which there are, and how large](../caches.md)."),
        new("Overload", ["OverloadOptions", "FirstSyncOptions"], [], "[How it is decided](../adr/0032-the-gateway-refuses-first-and-only-what-stands.md)."),
        new("Accounts and sessions", ["AccountOptions", "RendezvousOptions"], []),
        new("Rooms, search and presence", ["RoomOptions", "PartialJoinOptions", "DelayedEventOptions", "SearchOptions", "PresenceOptions", "ServerNoticeOptions"], []),
        new("Calls", ["TurnOptions"], []),
        new("Media", ["MediaOptions", "MediaStoreOptions", "MediaRetentionOptions", "GatewayListenOptions"], []),
        new("Previews of addresses", ["PreviewOptions"], []),
        new("Federation", ["FederationOptions", "DirectoryOptions", "OriginLimitOptions", "ReceivingOptions", "SenderOptions"], ["policy_server_public_key"]),
        new("Push", ["PushOptions", "PushSettings", "PushAddressOptions"], []),
        new("Mail", ["MailOptions", "MailSettings"], [], "Of what users have not read, to those who asked for it."),
        new("Rate limits", ["RateLimitOptions"], [], $"Who comes too often is told 429 and when to come again. Each rate has two keys, with these limits:\n\n{Rates()}"),
        new("Logs, metrics and traces", ["LogOptions", "TelemetryOptions"], []),
        new("Housekeeping", ["HousekeepingOptions", "LogPurgeOptions", "BackgroundJobOptions"], []),
    ];

    const string Head =
        """
        # Configuration

        Every key of `homeserver.yaml`, one file for all services; keys are named as Synapse names them where they mean the same. The page is generated from the options
        classes, and a test fails when it is stale; write it anew with `MATRIX_UPDATE_GENERATED=1 dotnet run --project tests/Matrix.Architecture.Tests`.

        - **The file** is the one of `--config-path`, or of the environment's `MATRIX_CONFIG`. `./run` and `matrixctl generate-config` write one with what has to be there and the usual
          keys as comments. A dot below is a level of YAML: `database.args.host` is `database: { args: { host: … } }`.
        - **The environment** overrides each value, with two underscores between levels: `MATRIX__database__args__host=db1`. A list is then one value with commas
          (`MATRIX__media_stores=s3,disk`), and an item of a list of sections has its number (`MATRIX__thumbnail_sizes__0__width=64`).
        - **Secrets** are marked below. A file may have them; else give them by the environment, as from a Secret of Kubernetes (`extraEnv` of [the chart](../../charts/matrix/README.md), whose
          `config` takes all other keys). Files with a secret in them are named by `registration_shared_secret_path`, and by the keys of signatures and of TLS, which are files always.
        - **Durations** are a number with `ms`, `s`, `m`, `h`, `d`, `w` or `y`, and milliseconds without; **sizes** are bytes, or a number with `K`, `M`, `G` or `T`, powers of 1024.
          In a name, `[]` stands for each item of a list and `<name>` for a name of yours.
        - **`matrixctl config check FILE`** lets every service read a file and says all that is wrong, and which keys no service knows. A start ignores those, and ends with code 78 where a value
          cannot be used.
        - **A change** is for the next start: `matrixctl restart SERVICE` loses no request. `log.levels_file`, `gateway.clusters_file` and the TLS certificate are read again while services run.

        all-in-one reads what the services read, unless a heading says otherwise. It does without RabbitMQ and Redis.

        """;

    /// <param name="readers">The services that ask for a key.</param>
    public static string Create(IReadOnlyList<ConfigurationKey> keys, Func<ConfigurationKey, IReadOnlyList<string>> readers)
    {
        // of two classes that read a key, the one that the groups name first says what it is
        var once = keys.Where(key => key.Meaning.Length > 0).OrderBy(key => Array.IndexOf(s_groups, GroupOf(key))).ThenBy(Place).DistinctBy(key => key.Name).ToList();
        var text = new StringBuilder(Head);
        foreach (var group in s_groups)
        {
            text.Append($"\n## {group.Title}\n");
            if (group.Intro.Length > 0) text.Append($"\n{group.Intro}\n");
            foreach (var same in once.Where(key => GroupOf(key) == group).GroupBy(key => Readers(readers(key)))) Append(text, same);
        }
        return text.ToString();
    }

    public static bool IsPlaced(ConfigurationKey key) => GroupOf(key) is not null;

    static Group? GroupOf(ConfigurationKey key) => s_groups.FirstOrDefault(group => Taken(group, key) >= 0) ?? s_groups.FirstOrDefault(group => group.Classes.Contains(key.OptionsClass));

    static int Place(ConfigurationKey key) =>
        GroupOf(key) is not { } group ? 0 : Taken(group, key) is >= 0 and var taken ? group.Classes.Length + taken : Array.IndexOf(group.Classes, key.OptionsClass);

    static int Taken(Group group, ConfigurationKey key) =>
        Array.FindIndex(group.Keys, taken => key.Name == taken || key.Name.StartsWith(taken + ".", StringComparison.Ordinal));

    static void Append(StringBuilder text, IGrouping<string, ConfigurationKey> keys)
    {
        text.Append($"\nRead by {keys.Key}.\n\n| key | value | default | |\n|---|---|---|---|\n");
        foreach (var key in keys)
        {
            var (column, longer) = key.Default.Length <= LongestDefault ? (key.Default, "") : ("", $" Default: {key.Default}.");
            text.Append($"| `{key.Name}` | {Cell(key.Value)} | {Cell(column)} | {(key.IsSecret ? "**Secret.** " : "")}{Cell(key.Meaning + longer)} |\n");
        }
    }

    static string Readers(IReadOnlyList<string> services)
    {
        var split = services.Where(service => service != ConfigurationReaders.Single).ToList();
        var named = split.Count == ConfigurationReaders.Services.Count ? "every service"
            : split.Count == ConfigurationReaders.Services.Count - 1 ? $"every service but {ConfigurationReaders.Services.Except(split).Single()}"
            : split.Count > 1 ? $"{string.Join(", ", split.SkipLast(1))} and {split[^1]}" : split.Single();
        return services.Contains(ConfigurationReaders.Single) ? named : named + "; not by all-in-one";
    }

    static string Rates() =>
        string.Join('\n', ConfigurationKeys.OfRates.Select(key => $"- `{key.Name}` ({key.Value}): {key.Meaning}"));

    static string Cell(string text) => text.Replace("|", @"\|", StringComparison.Ordinal);
}
