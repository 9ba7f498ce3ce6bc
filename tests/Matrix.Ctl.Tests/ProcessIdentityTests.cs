using System.Diagnostics;
using Matrix.LocalStack;

namespace Matrix.Ctl.Tests;

public sealed class ProcessIdentityTests
{
    [Fact]
    public void A_live_process_is_found_with_its_start_time()
    {
        var identity = ProcessIdentity.Find(Environment.ProcessId);

        Assert.Equal(ProcessIdentity.Current, identity);
        Assert.True(identity!.Value.StartTicks > 0);
        Assert.True(identity.Value.IsAlive);
    }

    [Fact]
    public async Task A_process_that_was_given_the_id_of_an_earlier_one_is_not_stopped()
    {
        using var stranger = Process.Start("sleep", "60");
        try
        {
            var real = ProcessIdentity.Find(stranger.Id)!.Value;
            var earlier = real with { StartTicks = real.StartTicks - 1 };
            var otherBoot = real with { BootId = Guid.NewGuid().ToString() };

            Assert.False(earlier.IsAlive);
            await earlier.Stop(TimeSpan.FromSeconds(1), default);
            await otherBoot.Stop(TimeSpan.FromSeconds(1), default);
            Assert.True(real.IsAlive);

            Assert.True(await real.Stop(TimeSpan.FromSeconds(5), default));
        }
        finally
        {
            stranger.Kill();
        }
        await stranger.WaitForExitAsync();
        Assert.Equal(128 + 15, stranger.ExitCode);
    }

    [Fact]
    public async Task A_process_that_ignores_the_request_to_stop_is_killed()
    {
        using var stubborn = Process.Start(new ProcessStartInfo("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])
        {
            RedirectStandardOutput = true,
        })!;
        await stubborn.StandardOutput.ReadLineAsync();

        Assert.False(await ProcessIdentity.Find(stubborn.Id)!.Value.Stop(TimeSpan.FromMilliseconds(200), default));

        await stubborn.WaitForExitAsync();
        Assert.Equal(128 + 9, stubborn.ExitCode);
    }
}
