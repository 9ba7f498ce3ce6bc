namespace Matrix.LocalStack;

/// <summary>Which private parts to start, and where.</summary>
public sealed record StackOptions
{
    /// <summary>Keeps the parts' data, ports, passwords and logs; created when it does not exist.</summary>
    public required string DataFolder { get; init; }

    public bool Postgres { get; init; } = true;
    public bool RabbitMq { get; init; } = true;
    public bool Redis { get; init; } = true;

    /// <summary>False for tests: a Postgres that does not wait for the disk, and loses its data when the machine stops.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Told what is being done: part and phase, in words for an operator.</summary>
    public Action<string, string> Report { get; init; } = (_, _) => { };
}

/// <summary>A part that answers on 127.0.0.1.</summary>
public sealed record StackEndpoint(int Port, string User, string Password)
{
    public const string Host = "127.0.0.1";

    /// <summary>For Npgsql.</summary>
    public string PostgresConnection(string database = "matrix") =>
        $"Host={Host};Port={Port};Username={User};Password={Password};Database={database}";

    /// <summary><c>amqp://user:password@host:port/</c></summary>
    public string AmqpUri => $"amqp://{User}:{Password}@{Host}:{Port}/";

    /// <summary>For StackExchange.Redis.</summary>
    public string RedisConnection => $"{Host}:{Port},password={Password}";
}
