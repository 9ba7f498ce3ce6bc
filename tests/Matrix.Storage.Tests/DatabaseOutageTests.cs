using System.Net.Sockets;
using Matrix.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Matrix.Storage.Tests;

public sealed class DatabaseOutageTests
{
    [Fact]
    public async Task A_server_that_is_not_there_is_an_outage_and_so_is_a_pool_without_a_connection_left()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=1");
        var refused = await Record.ExceptionAsync(() => nowhere.GetOne<int>("SELECT 1"));
        Assert.True(DatabaseOutage.IsOne(refused));
        Assert.True(DatabaseOutage.IsOne(new InvalidOperationException("wrapped", refused)));

        await using var database = await TestDatabase.Create(TestContext.Current.CancellationToken);
        await using var small = NpgsqlDataSource.Create(database.ConnectionString + ";Maximum Pool Size=1;Timeout=1");
        await using var taken = await small.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.True(DatabaseOutage.IsOne(await Record.ExceptionAsync(() => small.GetOne<int>("SELECT 1"))));
    }

    [Fact]
    public async Task A_statement_that_is_wrong_is_none()
    {
        await using var database = await TestDatabase.Create(TestContext.Current.CancellationToken);
        Assert.False(DatabaseOutage.IsOne(await Record.ExceptionAsync(() => database.Db.GetOne<int>("SELECT nothing"))));
        Assert.False(DatabaseOutage.IsOne(new TimeoutException()));
        Assert.False(DatabaseOutage.IsOne(null));
    }

    [Fact]
    public void Many_failures_are_one_line_and_the_end_is_another()
    {
        var (time, lines) = (new FakeTimeProvider(), new Lines());
        var outage = new DatabaseOutage(time, lines);
        var failure = new NpgsqlException("no", new SocketException());
        for (var i = 0; i < 100; i++)
            outage.Failed(failure);
        Assert.Equal(["Postgres is away: no (1 failures since this was last said)"], lines.All);
        time.Advance(TimeSpan.FromSeconds(11));
        outage.Failed(failure);
        Assert.Equal("Postgres is away: no (100 failures since this was last said)", lines.All[^1]);
        outage.Over();
        outage.Over();
        Assert.Equal("Postgres answers again, after 11.0 s", lines.All[^1]);
        Assert.Equal(3, lines.All.Count);
    }

    sealed class Lines : ILogger<DatabaseOutage>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
