using System.ComponentModel.DataAnnotations;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Where Postgres is: the configuration section <c>database.args</c>.</summary>
public sealed class DatabaseOptions
{
    /// <summary>Name or address of Postgres; a path is the folder of its Unix socket.</summary>
    [Required] public string Host { get; set; } = "localhost";

    /// <summary>The port of Postgres.</summary>
    [Range(1, 65535)] public int Port { get; set; } = 5432;

    /// <summary>The role to connect as.</summary>
    [Required] public string User { get; set; } = "matrix";

    /// <summary>The role's password. Left out where Postgres asks for none.</summary>
    public string? Password { get; set; }

    /// <summary>The name of the database. It belongs to this homeserver alone.</summary>
    [Required] public string Database { get; set; } = "matrix";

    /// <summary>Another name for <c>database</c>, as libpq has it; it wins.</summary>
    public string? Dbname { get; set; }

    /// <summary>The most connections that one process opens. Idle ones are closed again.</summary>
    [Range(2, 1000)] public int CpMax { get; set; } = 16;

    /// <summary>The driver's connection string; statements that are used often are prepared by it, per connection.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = Port,
        Username = User,
        Password = Password,
        Database = Dbname ?? Database,
        MaxPoolSize = CpMax,
        MinPoolSize = 0,
        MaxAutoPrepare = 100,
        AutoPrepareMinUsages = 2,
        ConnectionIdleLifetime = 60,
        Timeout = 5,
        CommandTimeout = 30,
        KeepAlive = 30,
        // nobody changes the settings of a connection that goes back to the pool (the log writer's and the migrations' do not); else each next
        // use begins with half a dozen statements that reset them
        NoResetOnClose = true,
        // every statement is short, and compiling one whose rows Postgres overestimates costs a hundred times what it saves
        Options = "-c jit=off",
        // nobody encrypts with Kerberos tickets here, and asking for one loads its libraries into every process
        GssEncryptionMode = GssEncryptionMode.Disable,
        IncludeErrorDetail = false,
    }.ConnectionString;
}
