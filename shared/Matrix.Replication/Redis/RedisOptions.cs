using System.ComponentModel.DataAnnotations;

namespace Matrix.Replication;

/// <summary>Where Redis is: the configuration section <c>redis</c>.</summary>
public sealed class RedisOptions
{
    /// <summary>Name or address of Redis.</summary>
    [Required] public string Host { get; set; } = "localhost";

    /// <summary>The port of Redis, without TLS.</summary>
    [Range(1, 65535)] public int Port { get; set; } = 6379;

    /// <summary>The password. Left out where Redis asks for none.</summary>
    public string? Password { get; set; }

    /// <summary>The number of the database, where one Redis serves several purposes.</summary>
    [Range(0, 1_000_000)] public int Dbid { get; set; }
}
