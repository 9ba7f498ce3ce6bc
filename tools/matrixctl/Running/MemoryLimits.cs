using System.Globalization;

namespace Matrix.Ctl.Running;

/// <summary>
/// What each process may take, where nothing else bounds it: a part of the machine's memory, never less than the chart gives. As in a container, three
/// quarters of it are for what the runtime manages.
/// </summary>
static class MemoryLimits
{
    const string HeapLimit = "DOTNET_GCHeapHardLimit";

    public static void Apply(IDictionary<string, string> environment, ServiceKind service, UpOptions options)
    {
        if (Environment.GetEnvironmentVariable(HeapLimit) is not null) return;
        var limit = options.Memory.TryGetValue(service.Name, out var given) ? given : Default(service, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        environment[HeapLimit] = "0x" + (limit / 4 * 3).ToString("X", CultureInfo.InvariantCulture);
    }

    internal static long Default(ServiceKind service, long machine) => service.Name switch
    {
        "all-in-one" => Math.Max(768L << 20, machine / 2),
        "client-api" => Math.Max(512L << 20, machine / 4),
        _ => Math.Max(256L << 20, machine / 8),
    };
}
