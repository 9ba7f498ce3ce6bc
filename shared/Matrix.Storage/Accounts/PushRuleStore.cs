using Matrix.Protocol;
using Npgsql;

namespace Matrix.Storage;

/// <summary>Reads what users changed of the push rules. It is written through the log.</summary>
public sealed class PushRuleStore(NpgsqlDataSource db)
{
    /// <summary>JSON, or null when the user changed nothing.</summary>
    public Task<string?> Find(UserId userId, CancellationToken ct) =>
        db.FindOne<string>("SELECT ruleset FROM push_rules WHERE user_id = @userId", new { userId }, ct);
}
