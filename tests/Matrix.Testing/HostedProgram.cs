using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Matrix.Testing;

/// <summary>
/// Runs a service's own Program in this process, as it is: the same entry point that the service's binary has, on a real port. The host
/// is caught as the generic host announces it, to learn the port and to stop it gracefully.
/// </summary>
public sealed class HostedProgram : IAsyncDisposable
{
    static readonly AsyncLocal<TaskCompletionSource<IHost>?> s_starting = new();
    readonly Task _running;

    HostedProgram(IHost host, Task running) => (Host, _running) = (host, running);

    static HostedProgram() => DiagnosticListener.AllListeners.Subscribe(new Listeners());

    public IHost Host { get; }

    public Uri Address => new(Host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Returns once the program serves requests; throws what it threw if it ended before that.</summary>
    public static async Task<HostedProgram> Start(Assembly program, params string[] args)
    {
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        s_starting.Value = built;
        var running = Task.Factory.StartNew(
            () => program.EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [args], null), TaskCreationOptions.LongRunning);
        s_starting.Value = null;

        var host = await FirstOf(built.Task, running);
        var started = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => started.TrySetResult(host));
        await FirstOf(started.Task, running);
        return new HostedProgram(host, running);
    }

    public async ValueTask DisposeAsync()
    {
        Host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _running;
    }

    static async Task<IHost> FirstOf(Task<IHost> wanted, Task running)
    {
        if (await Task.WhenAny(wanted, running) == running)
        {
            await running;
            throw new InvalidOperationException("The program ended before it served; its output says why.");
        }
        return await wanted;
    }

    sealed class Listeners : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Key == "HostBuilt")
            {
                s_starting.Value?.TrySetResult((IHost)value.Value!);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
