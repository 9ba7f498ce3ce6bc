namespace Matrix.Replication;

/// <summary>
/// Tells processes that are told of no commits (<see cref="LogFollowerOptions.IsCalled"/>) that there is one that gives them something to do: the first pusher of a server is worth
/// looking for at once, and everything else that happens is not. A hint, like <see cref="LogAdvanced"/>: who misses it finds out by himself.
/// </summary>
public sealed record LogCall(LogPosition To)
{
    internal static bool IsFor(LogAdvanced message) => message.Entries.Any(entry => entry.Kind == LogKind.Pushers);
}
