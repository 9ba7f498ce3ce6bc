using System.CommandLine;
using System.Diagnostics;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl with-services [--data DIR] -- COMMAND…</c>: private Postgres, RabbitMQ and Redis for as long as a command runs, which finds
/// them in MATRIX_TEST_POSTGRES, MATRIX_TEST_RABBITMQ and MATRIX_TEST_REDIS. Those that the environment names already are used instead.
/// </summary>
static class WithServicesCommand
{
    public static Command Create()
    {
        var data = new Option<DirectoryInfo?>("--data")
        {
            Description = "Folder for the services, removed at the end; a temporary one when left out.",
        };
        var command = new Argument<string[]>("command") { Arity = ArgumentArity.OneOrMore, Description = "What to run, after --." };
        var create = new Command("with-services", "Runs a command with private Postgres, RabbitMQ and Redis for tests.") { data, command };
        create.SetAction((result, _) => Run(result.GetValue(data)?.FullName, result.GetValue(command)!));
        return create;
    }

    static async Task<int> Run(string? folder, string[] command)
    {
        using var signals = new StopSignals();
        folder ??= Directory.CreateTempSubdirectory("matrix-services-").FullName;
        OpenToServices(folder);
        await using (var stack = await PrivateStack.Start(Missing(folder), signals.Requested))
        {
            var start = new ProcessStartInfo(command[0], command.Skip(1));
            if (stack.Postgres is { } postgres) start.Environment["MATRIX_TEST_POSTGRES"] = postgres.PostgresConnection("postgres");
            if (stack.RabbitMq is { } rabbitMq) start.Environment["MATRIX_TEST_RABBITMQ"] = rabbitMq.AmqpUri;
            if (stack.Redis is { } redis) start.Environment["MATRIX_TEST_REDIS"] = redis.RedisConnection;
            using var process = Process.Start(start)!;
            var identity = ProcessIdentity.Find(process.Id);
            await using (signals.Requested.Register(() => identity?.Terminate()))
                await process.WaitForExitAsync();
            Environment.ExitCode = process.ExitCode;
        }
        await PrivateStack.Remove(folder, CancellationToken.None);
        return Environment.ExitCode;
    }

    static StackOptions Missing(string folder) => new()
    {
        DataFolder = folder,
        Durable = false,
        Postgres = !IsNamed("MATRIX_TEST_POSTGRES"),
        RabbitMq = !IsNamed("MATRIX_TEST_RABBITMQ"),
        Redis = !IsNamed("MATRIX_TEST_REDIS"),
        Report = (part, phase) => AnsiConsole.WriteLine($"{part}: {phase}"),
    };

    static bool IsNamed(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));

    /// <summary>A temporary folder is its owner's alone, but the services may run under another account.</summary>
    static void OpenToServices(string folder)
    {
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }
}
