using System.Globalization;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>A control group that bounds the memory of one process, where the machine lets us make one: the kernel kills what takes more.</summary>
sealed class MemoryGroup : IDisposable
{
    const string First = "/sys/fs/cgroup/memory", Second = "/sys/fs/cgroup";
    readonly string _folder;
    readonly bool _isFirst;

    MemoryGroup(string folder, bool isFirst) => (_folder, _isFirst) = (folder, isFirst);

    /// <summary>Null where none can be made.</summary>
    public static MemoryGroup? TryBound(ServerProcess process, long bytes)
    {
        var isFirst = File.Exists(Path.Combine(First, "memory.limit_in_bytes"));
        var group = new MemoryGroup(Path.Combine(isFirst ? First : Second, $"matrix-test-{process.Pid}"), isFirst);
        try
        {
            Directory.CreateDirectory(group._folder);
            if (isFirst) group.Write("memory.move_charge_at_immigrate", 3); // what it has already counts
            group.Write("cgroup.procs", process.Pid);
            group.Write(isFirst ? "memory.limit_in_bytes" : "memory.max", bytes);
            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(group._folder)) group.Dispose();
            return null;
        }
    }

    public long MostUsed => long.Parse(File.ReadAllText(Path.Combine(_folder, _isFirst ? "memory.max_usage_in_bytes" : "memory.peak")), CultureInfo.InvariantCulture);

    void Write(string file, long value) => File.WriteAllText(Path.Combine(_folder, file), value.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder); // its files are the kernel's
        }
        catch (IOException)
        {
            // somebody is still in it: the end of the process empties it, and the machine's next start removes it
        }
    }
}
