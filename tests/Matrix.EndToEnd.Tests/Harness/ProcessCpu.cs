using System.Globalization;

namespace Matrix.EndToEnd.Tests;

/// <summary>Processor time of a process and of those that it has started: Postgres' work is done by its children.</summary>
static class ProcessCpu
{
    const double TicksPerSecond = 100;

    public static TimeSpan Of(int pid)
    {
        var parents = new Dictionary<int, (int Parent, double Ticks)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[6])))
        {
            try
            {
                // behind the name, which may hold anything: state, parent, and at 11 and 12 user and system time
                var stat = File.ReadAllText(folder + "/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                parents[int.Parse(folder[6..], CultureInfo.InvariantCulture)] = (Number(fields[1]), Number(fields[11]) + (double)Number(fields[12]));
            }
            catch (IOException)
            {
                // it has ended
            }
        }
        return TimeSpan.FromSeconds(parents.Where(one => IsOf(one.Key)).Sum(one => one.Value.Ticks) / TicksPerSecond);

        // the load has started the server
        bool IsOf(int process) => process == pid || (pid != Environment.ProcessId && parents.TryGetValue(process, out var one) && one.Parent != 0 && IsOf(one.Parent));
    }

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
