using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Matrix.Storage;

/// <summary>
/// Does Postgres take connections? A process without it can answer nothing, so it is not ready. One that has used up its own connections, or waits for
/// a slow server, is busy rather than broken, and stays ready.
/// </summary>
sealed class DatabaseHealth(NpgsqlDataSource db, DatabaseOutage outage) : IHealthCheck
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), Recently = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (outage.HasAnsweredWithin(Recently))
            return HealthCheckResult.Healthy();
        try
        {
            await db.GetOne<int>("SELECT 1", null, cancellationToken).WaitAsync(Patience, cancellationToken);
            outage.Over();
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is TimeoutException || e.InnerException is TimeoutException)
        {
            return HealthCheckResult.Degraded("Postgres is slow, or all connections are in use.");
        }
        catch (Exception e) when (DatabaseOutage.IsOne(e))
        {
            outage.Failed(e);
            return HealthCheckResult.Unhealthy("Postgres is away.");
        }
    }
}
