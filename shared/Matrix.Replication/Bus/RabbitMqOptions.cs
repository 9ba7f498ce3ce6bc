using System.ComponentModel.DataAnnotations;

namespace Matrix.Replication;

/// <summary>Where RabbitMQ is: the configuration section <c>rabbitmq</c>.</summary>
public sealed class RabbitMqOptions
{
    /// <summary>Name or address of RabbitMQ.</summary>
    [Required] public string Host { get; set; } = "localhost";

    /// <summary>The port of RabbitMQ, for AMQP without TLS.</summary>
    [Range(1, 65535)] public int Port { get; set; } = 5672;

    /// <summary>The user to connect as.</summary>
    [Required] public string Username { get; set; } = "guest";

    /// <summary>The user's password.</summary>
    [Required] public string Password { get; set; } = "guest";

    /// <summary>The virtual host. Homeservers that share a broker each need their own.</summary>
    [Required] public string VirtualHost { get; set; } = "/";
}
