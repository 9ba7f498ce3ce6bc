using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Matrix.LocalStack;

/// <summary>How a process is asked to stop.</summary>
public enum StopManner
{
    /// <summary>SIGTERM.</summary>
    Terminate,

    /// <summary>SIGTERM twice: a service does not drain, since nothing takes its place.</summary>
    Hurry,

    /// <summary>SIGINT: Postgres breaks off what its clients do.</summary>
    Interrupt,
}

/// <summary>
/// One process of this boot, told apart from a later one that was given the same id.
/// <c>StartTicks</c> is field 22 of <c>/proc/PID/stat</c>: clock ticks since boot.
/// </summary>
public readonly partial record struct ProcessIdentity(int Pid, long StartTicks, string BootId)
{
    const int SigInt = 2, SigKill = 9, SigTerm = 15;
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20), BetweenSignals = TimeSpan.FromMilliseconds(100); // two at once are one
    static readonly string CurrentBoot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>The live process with this id, or null when there is none or it only waits to be reaped.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A process may vanish between any two reads; each way of failing means that it is gone.")]
    public static ProcessIdentity? Find(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // the name, in parentheses, may itself hold spaces and parentheses
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new(pid, long.Parse(fields[19], CultureInfo.InvariantCulture), CurrentBoot);
        }
        catch (Exception)
        {
            return null;
        }
    }

    public static ProcessIdentity Current { get; } = Find(Environment.ProcessId)!.Value;

    public bool IsAlive => Find(Pid) == this;

    public void Interrupt() => Send(SigInt);
    public void Terminate() => Send(SigTerm);
    public void Kill() => Send(SigKill);

    /// <summary>
    /// Asks the process to stop and kills it when it has not after <paramref name="grace"/>. False when it had to be killed.
    /// </summary>
    public async Task<bool> Stop(TimeSpan grace, CancellationToken ct, StopManner manner = StopManner.Terminate)
    {
        if (manner == StopManner.Interrupt) Interrupt();
        else Terminate();
        if (manner == StopManner.Hurry && !await Exited(BetweenSignals, ct)) Terminate();
        if (await Exited(grace, ct)) return true;
        Kill();
        await Exited(TimeSpan.FromSeconds(5), ct);
        return false;
    }

    /// <summary>True when the process is gone, false when it still is there after <paramref name="limit"/>.</summary>
    public async Task<bool> Exited(TimeSpan limit, CancellationToken ct)
    {
        var deadline = TimeProvider.System.GetTimestamp() + (long)(limit.TotalSeconds * TimeProvider.System.TimestampFrequency);
        while (IsAlive)
        {
            if (TimeProvider.System.GetTimestamp() > deadline) return false;
            await Task.Delay(PollInterval, ct);
        }
        return true;
    }

    void Send(int signal)
    {
        if (IsAlive) _ = SendSignal(Pid, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
