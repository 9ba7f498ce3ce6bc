using Xunit;

namespace Matrix.Testing;

/// <summary>Waiting for what another thread, process or server brings about: for a condition, never for a time.</summary>
public static class Eventually
{
    /// <summary>Enough for the slowest machine: only a test that fails waits for so long.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns as soon as it is so; a minute later the test fails.</summary>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="isSo">Asked again and again.</param>
    /// <param name="found">What there is instead, for the message.</param>
    /// <param name="pause">Between two times of asking; 20 ms.</param>
    /// <param name="patience">Instead of the minute.</param>
    public static async Task True(string what, Func<Task<bool>> isSo, Func<string>? found = null, TimeSpan? pause = null, TimeSpan? patience = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < (patience ?? s_patience), $"Not within {patience ?? s_patience}: {what}. {found?.Invoke()}");
            await Task.Delay(pause ?? s_pause, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="True(string, Func{Task{bool}}, Func{string}?, TimeSpan?, TimeSpan?)"/>
    public static Task True(string what, Func<bool> isSo, Func<string>? found = null, TimeSpan? pause = null, TimeSpan? patience = null) =>
        True(what, () => Task.FromResult(isSo()), found, pause, patience);

    /// <summary>Returns the first answer that is as it should be; a minute later the test fails, with the last one.</summary>
    public static async Task<T> Get<T>(string what, Func<Task<T>> ask, Func<T, bool> isSo)
    {
        var answer = default(T)!;
        await True(what, async () => isSo(answer = await ask()), () => $"{answer}");
        return answer;
    }
}
