using System.Globalization;

namespace Matrix.EndToEnd.Tests;

/// <summary>The memory of a group of processes, from /proc, in MiB.</summary>
static class ProcessMemory
{
    /// <summary>
    /// What would be free without them: all that is each one's own, and every mapped file (the runtime's libraries, above all) once, as much of it as the one
    /// that uses it most. Does not depend on what else runs on the machine.
    /// </summary>
    public static long Together(IEnumerable<int> processes)
    {
        var mappings = processes.Select(Read).ToList();
        var own = mappings.Sum(process => process.Sum(mapping => mapping.IsShared ? mapping.Anonymous : mapping.Resident));
        var files = mappings.SelectMany(process => process.Where(mapping => mapping.IsShared).GroupBy(mapping => mapping.File)
                .Select(file => (file.Key, Size: file.Sum(part => part.Resident - part.Anonymous))))
            .GroupBy(file => file.Key).Sum(file => file.Max(use => use.Size));
        return (own + files) / 1024;
    }

    /// <summary>Their resident sizes added up: what is shared counts for each.</summary>
    public static long Resident(IEnumerable<int> processes) => processes.Sum(process => Read(process).Sum(mapping => mapping.Resident)) / 1024;

    static List<Mapping> Read(int process)
    {
        var mappings = new List<Mapping>();
        foreach (var line in File.ReadLines($"/proc/{process}/smaps"))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0].Contains('-'))
            {
                mappings.Add(new Mapping(words.Length > 5 ? words[5] : "", 0, 0));
            }
            else if (words[0] is "Rss:" or "Anonymous:")
            {
                var size = long.Parse(words[1], CultureInfo.InvariantCulture);
                mappings[^1] = words[0] == "Rss:" ? mappings[^1] with { Resident = size } : mappings[^1] with { Anonymous = size };
            }
        }
        return mappings;
    }

    /// <summary>KiB of a part of a process' memory that is present, and how much of it no file has.</summary>
    sealed record Mapping(string File, long Resident, long Anonymous)
    {
        /// <summary>Is it of a file that others map too? Compiled code lies in a memory file that has one name everywhere, and is each process' own.</summary>
        public bool IsShared => File.Length > 0 && !File.StartsWith("/memfd:", StringComparison.Ordinal);
    }
}
