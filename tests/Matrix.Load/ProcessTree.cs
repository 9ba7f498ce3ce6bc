using System.Globalization;

namespace Matrix.Load;

/// <summary>
/// The processor time and memory of a server's processes and all that they have started, from /proc. A child that has ended counts in its parent,
/// so that nothing is lost when Postgres ends a backend.
/// </summary>
sealed class ProcessTree(IReadOnlyList<(string Name, int Pid)> roots)
{
    static readonly double millisecondsPerTick = 10; // USER_HZ is 100 wherever .NET runs on Linux

    public bool IsEmpty => roots.Count == 0;

    /// <summary>Milliseconds used so far, by the name that each root was given.</summary>
    public Dictionary<string, double> Cpu()
    {
        var all = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => char.IsAsciiDigit(name![0]))
            .Select(name => Read(int.Parse(name!, CultureInfo.InvariantCulture))).OfType<Stat>().ToDictionary(stat => stat.Pid);
        var used = roots.Select(root => root.Name).Distinct().ToDictionary(name => name, _ => 0.0);
        var owners = roots.DistinctBy(root => root.Pid).ToDictionary(root => root.Pid, root => root.Name);
        foreach (var (name, pid) in roots)
        {
            if (!all.ContainsKey(pid)) throw new InvalidOperationException($"The process {pid} ({name}) is gone.");
        }
        foreach (var stat in all.Values)
        {
            if (Owner(stat, all, owners) is { } owner) used[owner] += stat.Ticks * millisecondsPerTick;
        }
        return used;
    }

    /// <summary>
    /// MiB that would be free without them (proportional set size: what processes share is divided among them), by name.
    /// </summary>
    public Dictionary<string, long> Memory()
    {
        var all = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => char.IsAsciiDigit(name![0]))
            .Select(name => Read(int.Parse(name!, CultureInfo.InvariantCulture))).OfType<Stat>().ToDictionary(stat => stat.Pid);
        var owners = roots.DistinctBy(root => root.Pid).ToDictionary(root => root.Pid, root => root.Name);
        var memory = roots.Select(root => root.Name).Distinct().ToDictionary(name => name, _ => 0L);
        foreach (var stat in all.Values)
        {
            if (Owner(stat, all, owners) is { } owner) memory[owner] += Share(stat.Pid);
        }
        return memory.ToDictionary(pair => pair.Key, pair => pair.Value / 1024);
    }

    static string? Owner(Stat stat, Dictionary<int, Stat> all, Dictionary<int, string> owners)
    {
        for (var process = stat; ; process = all.GetValueOrDefault(process.Parent)!)
        {
            if (process is null) return null;
            if (owners.TryGetValue(process.Pid, out var name)) return name;
        }
    }

    static Stat? Read(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            // the command's name may hold spaces and parentheses; state and parent follow it
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)); // utime, stime, cutime, cstime
            return new(pid, int.Parse(fields[1], CultureInfo.InvariantCulture), ticks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it ended while we looked
        }
    }

    static long Share(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/smaps_rollup").FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line["Pss:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    sealed record Stat(int Pid, int Parent, long Ticks);
}
