using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Endpoints.Accounts;

/// <summary>POST /_matrix/client/v3/refresh</summary>
static class PostRefresh
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/refresh", Handle);

    static async Task<Tokens> Handle(Body<Request> body, Sessions sessions, NpgsqlDataSource db, CancellationToken ct)
    {
        await using var tx = await db.BeginTransaction(ct);
        var tokens = await sessions.Refresh(tx, body.Value.RefreshToken, ct)
            ?? throw MatrixException.UnknownToken(softLogout: true, "Unknown refresh token.");
        await tx.CommitAsync(ct);
        return tokens;
    }

    sealed record Request(string RefreshToken);
}
