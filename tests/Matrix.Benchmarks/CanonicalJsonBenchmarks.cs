using System.Text;
using BenchmarkDotNet.Attributes;
using Matrix.Protocol;

namespace Matrix.Benchmarks;

/// <summary>Canonical JSON: divide the size by the time for MB/s.</summary>
[MemoryDiagnoser]
public class CanonicalJsonBenchmarks
{
    byte[] _sorted = [];
    byte[] _unsorted = [];
    byte[] _large = [];

    internal int SortedLength => _sorted.Length;

    internal int UnsortedLength => _unsorted.Length;

    internal int LargeLength => _large.Length;

    [GlobalSetup]
    public void Setup()
    {
        _sorted = new SampleRoom().Message.Json.ToArray();
        var text = Encoding.UTF8.GetString(_sorted);
        _unsorted = Encoding.UTF8.GetBytes(text.Replace("\"auth_events\"", "\"zauth_events\"", StringComparison.Ordinal).Replace("\":", "\" : ", StringComparison.Ordinal));
        var users = string.Join(",", Enumerable.Range(0, 1500).Select(i => $"\"@user{i}:example.org\":{i}"));
        _large = Encoding.UTF8.GetBytes("{\"users\":{" + users + "}}");
    }

    [Benchmark]
    public byte[] Event_of_1_KiB_in_order() => CanonicalJson.Canonicalize(_sorted);

    [Benchmark]
    public byte[] Event_of_1_KiB_out_of_order() => CanonicalJson.Canonicalize(_unsorted);

    /// <summary>Some 40 KB of short keys and numbers, which come out of order: the worst that power levels do.</summary>
    [Benchmark]
    public byte[] Power_levels_of_1500_users() => CanonicalJson.Canonicalize(_large);
}
