using Matrix.Hosting.Together;
using Matrix.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>What is asked for at the same time is read together, and never before it was asked for.</summary>
public sealed class GroupedReadsTests
{
    readonly FakeTimeProvider _time = new();
    readonly List<(int[] Questions, TaskCompletionSource<bool> May)> _reads = [];

    [Fact]
    public async Task Who_comes_while_something_is_read_is_part_of_the_next_read()
    {
        var reads = new GroupedReads<int, string>(Read, _time);
        var first = reads.Get(1, default);
        var others = Enumerable.Range(2, 5).Select(number => reads.Get(number, default)).ToArray();
        Assert.Equal([1], Assert.Single(_reads).Questions);
        _reads[0].May.SetResult(true);
        Assert.Equal("1", await first);
        await Until(2);
        Assert.Equal([2, 3, 4, 5, 6], _reads[1].Questions);
        _reads[1].May.SetResult(true);
        Assert.Equal(["2", "3", "4", "5", "6"], await Task.WhenAll(others));
    }

    [Fact]
    public async Task What_hangs_holds_up_nobody_and_what_fails_fails_for_those_who_asked()
    {
        var reads = new GroupedReads<int, string>(Read, _time);
        var hanging = reads.Get(1, default);
        var next = reads.Get(2, default);
        Assert.Single(_reads);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Until(2);
        Assert.False(hanging.IsCompleted);
        _reads[1].May.SetResult(true);
        Assert.Equal("2", await next);
        _reads[0].May.SetException(new IOException("gone"));
        await Assert.ThrowsAsync<IOException>(() => hanging);

        var again = reads.Get(3, default);
        await Until(3);
        _reads[2].May.SetResult(true);
        Assert.Equal("3", await again);
    }

    [Fact]
    public async Task Who_goes_away_takes_nobody_along()
    {
        var reads = new GroupedReads<int, string>(Read, _time);
        using var leave = new CancellationTokenSource();
        var first = reads.Get(1, leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = reads.Get(2, default);
        _reads[0].May.SetResult(true);
        await Until(2);
        _reads[1].May.SetResult(true);
        Assert.Equal("2", await second);
    }

    async Task<IReadOnlyList<string>> Read(IReadOnlyList<int> questions, CancellationToken ct)
    {
        var may = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_reads)
            _reads.Add(([.. questions], may));
        await may.Task;
        return [.. questions.Select(question => $"{question}")];
    }

    Task Until(int reads) => Eventually.True($"there are {reads} reads", () => Count() >= reads);

    int Count()
    {
        lock (_reads)
            return _reads.Count;
    }
}
