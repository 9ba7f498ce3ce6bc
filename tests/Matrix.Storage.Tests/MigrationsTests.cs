using Matrix.Testing;

namespace Matrix.Storage.Tests;

public sealed class MigrationsTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_database_gets_the_whole_schema_in_order_and_only_once()
    {
        await using var database = await TestDatabase.CreateEmpty();
        var applied = await Migrations.Apply(database.Db, Ct);
        Assert.Equal(applied.Order(StringComparer.Ordinal), applied);
        Assert.Equal("0001_log", applied[0]);
        Assert.Equal(0, await database.Db.GetOne<long>("SELECT position FROM log_head", null, Ct));
        Assert.Empty(await Migrations.Apply(database.Db, Ct));
    }

    [Fact]
    public async Task Replicas_that_start_together_apply_each_file_once()
    {
        await using var database = await TestDatabase.CreateEmpty();
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Migrations.Apply(database.Db, Ct)));
        var recorded = await database.Db.List<string>("SELECT name FROM schema_migrations ORDER BY name", null, Ct);
        Assert.Equal(recorded, all.SelectMany(names => names).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_an_interrupted_start_left_out_is_applied_by_the_next()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await database.Db.Execute("CREATE TABLE room_heads (in_the_way int)", null, Ct);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => Migrations.Apply(database.Db, Ct));
        await database.Db.Execute("DROP TABLE room_heads", null, Ct);
        var rest = await Migrations.Apply(database.Db, Ct);
        Assert.Equal("0020_rooms", rest[0]);
    }

    [Fact]
    public async Task A_database_belongs_to_the_first_server_name_that_claims_it()
    {
        await using var database = await TestDatabase.Create();
        await ServerIdentity.Claim(database.Db, "one.example", Ct);
        await ServerIdentity.Claim(database.Db, "one.example", Ct);
        var refusal = await Assert.ThrowsAsync<WrongServerException>(() => ServerIdentity.Claim(database.Db, "two.example", Ct));
        Assert.Contains("one.example", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("two.example", refusal.Message, StringComparison.Ordinal);
    }
}
