using System.Globalization;

namespace Matrix.Benchmarks;

/// <summary>
/// The bars that the protocol library is held to, measured in processor time, so that a busy machine does not matter much: the best of many rounds.
/// <c>dotnet run -c Release --project tests/Matrix.Benchmarks -- bars</c> ends with an error if one is missed.
/// </summary>
static class Bars
{
    static readonly TimeSpan Round = TimeSpan.FromMilliseconds(60);
    const int Rounds = 25;

    public static int Run()
    {
        var events = new EventBenchmarks();
        events.Setup();
        var json = new CanonicalJsonBenchmarks();
        json.Setup();
        var bare = Measure(() => events.Bare_verify_and_hashes());
        var whole = Measure(() => events.Parse_hash_and_verify());
        var missed = 0;
        Show("bare Ed25519 verify and two SHA-256 of 1 KiB", Time(bare));
        missed += Check("parse, both hashes and verify of 1 KiB", $"{whole / bare:F2} x bare", "2 x bare", whole <= 2 * bare);
        missed += CheckSpeed("canonical JSON, 1 KiB in order", json.SortedLength, Measure(() => json.Event_of_1_KiB_in_order()));
        missed += CheckSpeed("canonical JSON, 1 KiB out of order", json.UnsortedLength, Measure(() => json.Event_of_1_KiB_out_of_order()));
        missed += CheckSpeed("canonical JSON, 1,500 users out of order", json.LargeLength, Measure(() => json.Power_levels_of_1500_users()));
        missed += CheckTime("auth check of a message", 2e-6, Measure(() => events.Auth_check_of_a_message()));
        missed += CheckTime("the default push rules over one event", 10e-6, Measure(() => events.Push_rules()));
        foreach (var version in new[] { "11", "12" })
        {
            var states = new StateResolutionBenchmarks { Version = version };
            states.Setup();
            missed += CheckTime($"two states of 10,000 with 100 conflicts, version {version}", 50e-3, Measure(() => states.Resolve()));
        }
        Show("read an event from the store", Time(Measure(() => events.From_store())));
        Show("build and sign", Time(Measure(() => events.Build_and_sign())));
        Show("write an event for clients", Time(Measure(() => events.Write_for_clients())));
        return missed == 0 ? 0 : 1;
    }

    /// <summary>Seconds of processor time that one call takes at best.</summary>
    static double Measure<T>(Func<T> call)
    {
        var (calls, best) = (1, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            TimeSpan taken;
            while ((taken = Repeat(call, calls)) < Round)
                calls = taken < Round / 10 ? calls * 10 : (int)(calls * (Round / taken) * 1.2) + 1;
            best = Math.Min(best, taken.TotalSeconds / calls);
        }
        return best;
    }

    static TimeSpan Repeat<T>(Func<T> call, int calls)
    {
        var before = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < calls; i++)
            _ = call();
        return Environment.CpuUsage.TotalTime - before;
    }

    static int CheckSpeed(string what, int bytes, double seconds) =>
        Check(what, $"{bytes / seconds / 1e6:F0} MB/s, {Time(seconds)}", "300 MB/s", bytes / seconds >= 300e6);

    static int CheckTime(string what, double limit, double seconds) => Check(what, Time(seconds), Time(limit), seconds <= limit);

    static int Check(string what, string measured, string bar, bool met)
    {
        Show(what, $"{measured} (bar: {bar}) {(met ? "met" : "MISSED")}");
        return met ? 0 : 1;
    }

    static void Show(string what, string measured) => Console.WriteLine($"{what,-55} {measured}");

    static string Time(double seconds) =>
        seconds >= 1e-3 ? string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F1} ms") : string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:F2} us");
}
