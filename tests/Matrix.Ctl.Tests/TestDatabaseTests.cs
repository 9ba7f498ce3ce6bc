using Matrix.Testing;

namespace Matrix.Ctl.Tests;

public sealed class TestDatabaseTests
{
    [Fact]
    public async Task Each_caller_has_a_database_of_its_own_with_the_whole_schema()
    {
        await using var first = await TestDatabase.Create();
        await using var second = await TestDatabase.Create();

        await using (var create = first.Db.CreateCommand("CREATE TABLE only_here (x int)")) await create.ExecuteNonQueryAsync();
        await using var find = second.Db.CreateCommand("SELECT count(*) FROM pg_tables WHERE tablename IN ('only_here', 'schema_migrations')");

        Assert.Equal(1L, await find.ExecuteScalarAsync());
    }
}
