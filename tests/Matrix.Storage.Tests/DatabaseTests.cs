using System.Text.Json;
using Matrix.Protocol;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Storage.Tests;

public sealed class DatabaseTests : IAsyncLifetime
{
    TestDatabase _database = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    NpgsqlDataSource Db => _database.Db;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateEmpty();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Rows_become_records_with_our_types()
    {
        var row = await Db.FindOne<Row>("""
            SELECT '@a:x.y'::text AS user_id, '!r:x.y'::text AS room_id, NULL::text AS event_id, 2::smallint AS color,
                timestamptz '2026-01-02 03:04:05+02' AS made_at, '{"a":[1]}'::text AS content, NULL::bigint AS count, '\x0102'::bytea AS bytes
            """, null, Ct);
        Assert.NotNull(row);
        Assert.Equal(UserId.Parse("@a:x.y"), row.UserId);
        Assert.Equal(RoomId.Parse("!r:x.y"), row.RoomId);
        Assert.Null(row.EventId);
        Assert.Equal(Color.Green, row.Color);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 1, 4, 5, TimeSpan.Zero), row.MadeAt);
        Assert.Equal(1, row.Content.GetProperty("a")[0].GetInt32());
        Assert.Null(row.Count);
        Assert.Equal([1, 2], row.Bytes);
    }

    [Fact]
    public async Task Parameters_take_our_types()
    {
        var user = UserId.Parse("@a:x.y");
        Assert.Equal("@a:x.y", await Db.GetOne<string>("SELECT @user::text", new { user }, Ct));
        Assert.Equal(user, await Db.GetOne<UserId>("SELECT @user::text", new { user }, Ct));
        Assert.Equal("""{"b":2}""", await Db.GetOne<string>("SELECT @json::text", new { json = JsonElement.Parse("""{"b":2}""") }, Ct));
        Assert.True(await Db.GetOne<bool>("SELECT 3 = ANY(@ids)", new { ids = new long[] { 1, 3 } }, Ct));
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2));
        Assert.Equal(time, await Db.GetOne<DateTimeOffset>("SELECT @time::timestamptz", new { time }, Ct));
    }

    [Fact]
    public async Task No_row_is_null_or_refused()
    {
        Assert.Null(await Db.FindOne<long?>("SELECT 1::bigint WHERE false", null, Ct));
        Assert.Null(await Db.FindOne<string>("SELECT 'a' WHERE false", null, Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Db.GetOne<long>("SELECT 1::bigint WHERE false", null, Ct));
        Assert.Empty(await Db.List<long>("SELECT 1::bigint WHERE false", null, Ct));
    }

    [Fact]
    public async Task A_transaction_counts_only_when_it_is_committed()
    {
        await Db.Execute("CREATE TABLE things (x int)", null, Ct);
        await using (var tx = await Db.BeginTransaction(Ct))
            await tx.Execute("INSERT INTO things VALUES (1)", null, Ct);
        await using (var tx = await Db.BeginTransaction(Ct))
        {
            Assert.Equal(2, await tx.Execute("INSERT INTO things VALUES (2), (3)", null, Ct));
            Assert.Equal([2, 3], await tx.List<int>("SELECT x FROM things ORDER BY x", null, Ct));
            await tx.CommitAsync(Ct);
        }
        Assert.Equal([2, 3], await Db.List<int>("SELECT x FROM things ORDER BY x", null, Ct));
    }

    [Fact]
    public async Task A_batch_takes_positional_parameters_nulls_and_identifiers()
    {
        await using var connection = await Db.OpenConnectionAsync(Ct);
        await using var batch = connection.CreateBatch();
        batch.Add("SELECT $1::text || coalesce($2::text, '-') || $3::bigint || length($4::bytea)", UserId.Parse("@a:x.y"), null, 7L, new byte[] { 1, 2 });
        Assert.Equal("@a:x.y-72", await batch.ExecuteScalarAsync(Ct));
    }

    enum Color : short
    {
        Green = 2,
    }

    sealed record Row(
        UserId UserId, RoomId RoomId, EventId? EventId, Color Color, DateTimeOffset MadeAt, JsonElement Content, long? Count, byte[] Bytes);
}
