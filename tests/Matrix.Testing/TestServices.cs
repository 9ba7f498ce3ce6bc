using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;
using Testcontainers.Redis;

namespace Matrix.Testing;

/// <summary>
/// The real Postgres, RabbitMQ and Redis that the tests of this process share, each started when it is first asked for: the one that the
/// environment names, else a container where a Docker engine answers, else a private local instance.
/// </summary>
public static class TestServices
{
    public const string PostgresVariable = "MATRIX_TEST_POSTGRES", RabbitMqVariable = "MATRIX_TEST_RABBITMQ", RedisVariable = "MATRIX_TEST_REDIS";

    const string DockerSocket = "/var/run/docker.sock";

    static readonly Lazy<Task<string>> postgres = new(() => Find(PostgresVariable, PostgresContainer, PrivateParts.Postgres));
    static readonly Lazy<Task<string>> rabbitMq = new(() => Find(RabbitMqVariable, RabbitMqContainer, PrivateParts.RabbitMq));
    static readonly Lazy<Task<string>> redis = new(() => Find(RedisVariable, RedisContainer, PrivateParts.Redis));

    /// <summary>Npgsql connection string of an account that may create databases. Most tests want <see cref="TestDatabase"/>.</summary>
    public static Task<string> Postgres => postgres.Value;

    /// <summary><c>amqp://user:password@host:port/</c></summary>
    public static Task<string> RabbitMq => rabbitMq.Value;

    /// <summary>StackExchange.Redis configuration. The server is shared: tests take keys of their own.</summary>
    public static Task<string> Redis => redis.Value;

    static Task<string> Find(string variable, Func<Task<string>> container, Func<Task<string>> local) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named ? Task.FromResult(named)
        : HasDocker ? container()
        : local();

    static bool HasDocker => Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } || File.Exists(DockerSocket);

    // containers are not stopped here: Testcontainers removes them when this process is gone
    static async Task<string> PostgresContainer()
    {
        var container = new PostgreSqlBuilder("postgres:17-alpine").WithCommand("-c", "fsync=off", "-c", "max_connections=300").Build();
        await container.StartAsync();
        return container.GetConnectionString();
    }

    static async Task<string> RabbitMqContainer()
    {
        var container = new RabbitMqBuilder("rabbitmq:4-alpine").Build();
        await container.StartAsync();
        return container.GetConnectionString();
    }

    static async Task<string> RedisContainer()
    {
        var container = new RedisBuilder("redis:7-alpine").Build();
        await container.StartAsync();
        return container.GetConnectionString();
    }
}
