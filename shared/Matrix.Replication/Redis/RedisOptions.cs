using System.ComponentModel.DataAnnotations;

namespace Matrix.Replication;

/// <summary>Where Redis is: the configuration section <c>redis</c>.</summary>
public sealed class RedisOptions
{
    [Required] public string Host { get; set; } = "localhost";

    [Range(1, 65535)] public int Port { get; set; } = 6379;

    public string? Password { get; set; }

    /// <summary>The number of the database, where one Redis serves several purposes.</summary>
    [Range(0, 1_000_000)] public int Dbid { get; set; }
}
