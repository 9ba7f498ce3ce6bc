using System.Globalization;
using Matrix.Hosting.Configuration;
using Matrix.LocalStack;
using Matrix.Storage;
using Matrix.Storage.Media;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Ctl.Configuration;

/// <summary>What the tool itself needs of a homeserver.yaml, with the environment's overrides.</summary>
sealed class ServerConfig
{
    readonly IConfiguration configuration;

    ServerConfig(string path, IConfiguration configuration) => (Path, this.configuration) = (path, configuration);

    public string Path { get; }

    public static ServerConfig Read(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        if (FindMistakes(path) is { Count: > 0 } mistakes) throw new StackException(string.Join('\n', mistakes));
        return new(path, new ConfigurationBuilder().Add(new YamlConfigurationSource(path)).AddEnvironmentVariables("MATRIX__").Build());
    }

    /// <summary>Why a file cannot be read at all; empty when it can.</summary>
    public static IReadOnlyList<string> FindMistakes(string path)
    {
        var file = new YamlConfigurationSource(path);
        _ = new ConfigurationBuilder().Add(file).Build();
        return [.. file.Mistakes.Select(mistake => mistake.ToString())];
    }

    /// <summary>The file of --config-path or of MATRIX_CONFIG; without either, the environment's variables alone.</summary>
    public static ServerConfig ReadOrEnvironment(string? path)
    {
        path ??= Environment.GetEnvironmentVariable("MATRIX_CONFIG") is { Length: > 0 } named ? named : null;
        return path is null ? new("the environment", new ConfigurationBuilder().AddEnvironmentVariables("MATRIX__").Build()) : Read(path);
    }

    /// <summary>The same, with the private parts of a data folder where the file names none of its own.</summary>
    public ServerConfig WithPrivateParts(string dataFolder)
    {
        var (postgres, rabbitMq, redis) = PrivateStack.FindEndpoints(dataFolder);
        var own = new Dictionary<string, string?>();
        Add(NamesDatabase, "database:args", postgres);
        Add(NamesRabbitMq, "rabbitmq", rabbitMq);
        Add(NamesRedis, "redis", redis);
        return new(Path, new ConfigurationBuilder().AddConfiguration(configuration).AddInMemoryCollection(own).Build());

        void Add(bool isNamed, string section, StackEndpoint? part)
        {
            if (isNamed || part is null) return;
            (own[section + ":host"], own[section + ":port"]) = (StackEndpoint.Host, part.Port.ToString(CultureInfo.InvariantCulture));
            (own[section + ":user"], own[section + ":password"]) = (part.User, part.Password);
        }
    }

    public (string Host, int Port)? RabbitMq => Place("rabbitmq", 5672);
    public (string Host, int Port)? Redis => Place("redis", 6379);

    /// <summary>Where media lies, as the services read it but not checked.</summary>
    public MediaStoreOptions Media => new OptionsSection<MediaStoreOptions>(configuration, null).Unchecked;

    /// <summary>The bucket that media lies in; null when it lies nowhere but on disk.</summary>
    public S3Options? MediaBucket => Media is var options && options.MediaStores.Contains("s3") ? options.MediaS3 : null;

    public string? MediaStorePath => configuration["media_store_path"];
    public string SigningKeyPath => FindSigningKeyPath is { Length: > 0 } path ? path : throw new StackException($"{Path} names no signing_key_path.");
    public string? FindSigningKeyPath => configuration["signing_key_path"];

    (string Host, int Port)? Place(string section, int port) => HasValues(section)
        ? (configuration[section + ":host"] ?? "localhost", int.TryParse(configuration[section + ":port"], CultureInfo.InvariantCulture, out var given) ? given : port)
        : null;

    /// <summary>Where the database is that the services use.</summary>
    public DatabaseOptions Database
    {
        get
        {
            var services = new ServiceCollection();
            services.AddSection<DatabaseOptions>(configuration, "database:args");
            using var provider = services.BuildServiceProvider();
            return provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        }
    }

    public string ServerName => configuration["server_name"] is { Length: > 0 } name
        ? name
        : throw new StackException($"{Path} names no server_name.");

    public string? RegistrationSharedSecret => configuration["registration_shared_secret"] is { Length: > 0 } secret ? secret
        : configuration["registration_shared_secret_path"] is { Length: > 0 } file ? File.ReadAllText(file).Trim()
        : null;


    public string? PublicBaseUrl => configuration["public_baseurl"];
    public bool ListensWithTls => configuration.GetList("tls_listen").Count > 0;
    public string? TlsCertificatePath => configuration["tls_certificate_path"];
    public int BcryptRounds => int.TryParse(configuration["bcrypt_rounds"], out var rounds) ? rounds : 12;
    public string Pepper => configuration["password_config:pepper"] ?? "";
    public bool NamesDatabase => HasValues("database");
    public bool NamesRabbitMq => HasValues("rabbitmq");
    public bool NamesRedis => HasValues("redis");

    bool HasValues(string section) => configuration.GetSection(section).AsEnumerable().Any(pair => !string.IsNullOrEmpty(pair.Value));
}
