using Npgsql;

namespace Matrix.Storage;

/// <summary>A database belongs to one server name for good: every user, room and signature in it bears that name.</summary>
public static class ServerIdentity
{
    /// <summary>Writes the name into a new database; throws <see cref="WrongServerException"/> if it was made for another one.</summary>
    public static async Task Claim(NpgsqlDataSource db, string serverName, CancellationToken ct = default)
    {
        await db.Execute("INSERT INTO server (server_name) VALUES (@serverName) ON CONFLICT DO NOTHING", new { serverName }, ct);
        var owner = await db.GetOne<string>("SELECT server_name FROM server", null, ct);
        if (owner != serverName)
            throw new WrongServerException(owner, serverName);
    }
}

/// <summary>The database belongs to another server name.</summary>
public sealed class WrongServerException(string owner, string asked)
    : Exception($"The database was made for the server name '{owner}', and server_name is '{asked}'. A server cannot change its name: "
        + "set server_name back, or name another database in database.args.");
