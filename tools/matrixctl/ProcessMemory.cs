using System.Globalization;

namespace Matrix.Ctl;

/// <summary>How much memory a process takes.</summary>
static class ProcessMemory
{
    /// <summary>
    /// Its proportional share in bytes: a page that several processes have in common, as the runtime's own code is among the services,
    /// counts
    /// for each by its part, so that the sum over processes is what the machine gives. 0 when it cannot be read.
    /// </summary>
    public static long Share(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/smaps_rollup").FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            if (line is null) return 0;
            var kibibytes = line["Pss:".Length..].Replace("kB", "", StringComparison.Ordinal);
            return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
