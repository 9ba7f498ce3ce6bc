using Matrix.Testing;
using Npgsql;

namespace Matrix.Storage.Tests;

public sealed class PreparedStatementTests
{
    [Fact]
    public async Task A_statement_that_failed_while_it_was_prepared_works_afterwards()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await using var db = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            MaxPoolSize = 1,
            MaxAutoPrepare = 10,
            AutoPrepareMinUsages = 2,
        });
        await db.Execute("CREATE TABLE things (name text)");
        Assert.Equal("one", await Insert(db, "one"));
        await Assert.ThrowsAsync<PostgresException>(() => Insert(db, "\0"));
        for (var i = 0; i < 3; i++)
            Assert.Equal("more", await Insert(db, "more"));
    }

    static Task<string?> Insert(NpgsqlDataSource db, string name) =>
        db.FindOne<string>("INSERT INTO things VALUES (@name) RETURNING name", new { name }, TestContext.Current.CancellationToken);
}
