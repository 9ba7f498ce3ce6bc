using System.ComponentModel.DataAnnotations;

namespace Matrix.Replication;

/// <summary>Where RabbitMQ is: the configuration section <c>rabbitmq</c>.</summary>
public sealed class RabbitMqOptions
{
    [Required] public string Host { get; set; } = "localhost";

    [Range(1, 65535)] public int Port { get; set; } = 5672;

    [Required] public string Username { get; set; } = "guest";

    [Required] public string Password { get; set; } = "guest";

    /// <summary>Servers that share a broker each need their own.</summary>
    [Required] public string VirtualHost { get; set; } = "/";
}
