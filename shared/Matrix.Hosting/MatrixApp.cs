using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting;

public static class MatrixApp
{
    // EX_CONFIG of sysexits.h: a supervisor need not start it again
    const int BadConfiguration = 78;

    /// <summary>
    /// A whole Program: builds, checks the configuration, and runs until the process is told to stop. A configuration that cannot be used is
    /// printed, mistake by mistake, and ends it with 78.
    /// </summary>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, string service, Action<WebApplicationBuilder> add, Action<WebApplication> map) => Guarded(() =>
    {
        var builder = MatrixHost.CreateBuilder(args, service);
        add(builder);
        var app = builder.Build();
        if (CheckOnly(app)) return;
        map(app);
        app.Run();
    });

    /// <inheritdoc cref="Run"/>
    public static int RunMatrix(this WebApplication app) => Guarded(() =>
    {
        if (!CheckOnly(app)) app.Run();
    });

    static bool CheckOnly(WebApplication app)
    {
        var isWhole = false;
        try
        {
            MatrixOptions.CheckConfiguration(app.Services);
            isWhole = true;
        }
        catch (ConfigurationException e)
        {
            isWhole = e.IsWhole;
            throw;
        }
        finally
        {
            if (IsOnlyCheck() && isWhole) UnreadKeys.Print(app.Configuration);
        }
        return IsOnlyCheck();
    }

    /// <summary><c>--check-config</c>: says whether the configuration can be used, by the exit code and the mistakes, which keys it does not know, and does nothing else.</summary>
    static bool IsOnlyCheck() => Environment.GetCommandLineArgs().Contains("--check-config");

    static int Guarded(Action run)
    {
        try
        {
            run();
            return 0;
        }
        catch (ConfigurationException e)
        {
            Console.Error.WriteLine(e.Message);
            return BadConfiguration;
        }
        catch (OptionsValidationException e) // what only the start can find out, such as a database that belongs to another server
        {
            Console.Error.WriteLine(new ConfigurationException([.. MatrixOptions.Mistakes(e)]).Message);
            return BadConfiguration;
        }
        catch (Exception e) when (e is not HostAbortedException)
        {
            Console.Error.WriteLine("Stopped: " + e.Message);
            Console.Error.WriteLine(e);
            return 1;
        }
    }
}

/// <summary>Checks the whole configuration as the first thing of the start, before any service opens a connection or a port.</summary>
sealed class ConfigurationStartup(IServiceProvider services) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        MatrixOptions.CheckConfiguration(services);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
