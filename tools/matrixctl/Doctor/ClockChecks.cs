using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Matrix.Ctl.Doctor;

/// <summary>Is this machine's clock right? The kernel knows whether somebody corrects it; whoever answers over HTTP says what time it is there.</summary>
static partial class ClockChecks
{
    const string Check = "clock";
    const int TimeError = 5, Unsynchronised = 0x40; // TIME_ERROR and STA_UNSYNC of sys/timex.h
    static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5), WellKept = TimeSpan.FromSeconds(1);

    /// <summary>What the kernel answers to adjtimex. <c>Error</c>: its own estimate, which is worth something only while somebody corrects the clock.</summary>
    internal readonly record struct KernelClock(int State, int Status, TimeSpan Error)
    {
        public bool IsCorrected => State != TimeError && (Status & Unsynchronised) == 0;
    }

    public static Finding Kernel() => Judge(Read());

    internal static Finding Judge(KernelClock? kernel) => kernel switch
    {
        null => Finding.Warning(Check, "the kernel does not say whether somebody corrects the clock", "Usual in a container: ask the machine below it (chronyc tracking, timedatectl)."),
        { IsCorrected: false } => Finding.Warning(Check,
            "the kernel knows of nobody who corrects the clock", "It drifts by seconds a day. Run chrony or systemd-timesyncd; in a virtual machine its host may do it unseen."),
        { Error: var error } when error > WellKept => Finding.Warning(Check, $"synchronised, but perhaps {Seconds(error)} s off, the kernel says",
            "Its time servers have not answered for long: chronyc sources, or timedatectl timesync-status."),
        { Error: var error } => Finding.Well(Check, $"synchronised, within {Math.Max(1, error.TotalMilliseconds):0} ms, the kernel says"),
    };

    /// <summary>One finding for each host that said what time it is there, the server itself among them.</summary>
    public static IEnumerable<Finding> Compare(HostTimes times) => times.Differences.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.Duration() <= Tolerance
        ? Finding.Well(Check, $"{pair.Key} has the same time, to {Math.Max(1, Math.Ceiling(pair.Value.Duration().TotalSeconds)):0} s")
        : Finding.Warning(Check, $"{pair.Key} says that it is {Seconds(pair.Value.Duration())} s {(pair.Value > TimeSpan.Zero ? "later" : "earlier")}",
            "One of them is wrong, and others refuse keys and tokens of a server whose clock is: see to time synchronisation."));

    static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);

    static KernelClock? Read()
    {
        if (!OperatingSystem.IsLinux() || IntPtr.Size != 8) return null;
        // struct timex of 64 bits: modes, offset, freq, maxerror, esterror (in microseconds), status, and what is not looked at
        Span<long> timex = stackalloc long[64];
        timex.Clear(); // modes 0: nothing is changed
        var state = AdjTimeX(timex);
        return state < 0 ? null : new(state, (int)timex[5], TimeSpan.FromMicroseconds(timex[4]));
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjTimeX(Span<long> timex);
}

/// <summary>Notes what time it is, by their header Date, where others answer.</summary>
sealed class HostTimes(HttpMessageHandler inner, TimeProvider time) : DelegatingHandler(inner)
{
    readonly ConcurrentDictionary<string, TimeSpan> differences = new();

    /// <summary>By host: how much later it is there.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Differences => differences;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        // of an answer that somebody kept, the date is that of when it was made
        if (response.Headers.Date is { } date && response.Headers.Age is null) differences[request.RequestUri!.Authority] = date - time.GetUtcNow();
        return response;
    }
}
