using System.CommandLine;
using Matrix.Ctl.Configuration;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl rotate-signing-key --config-path FILE</c>: a new key signs from the next start on, the old one stays known.</summary>
static class RotateSigningKeyCommand
{
    static readonly Option<string> configPath = new("--config-path", "-c") { Required = true, Description = "The server's homeserver.yaml." };

    public static Command Create()
    {
        var command = new Command("rotate-signing-key", "Makes a new signing key and lists the old one among old_signing_keys.") { configPath };
        command.SetAction(Run);
        return command;
    }

    static int Run(ParseResult result)
    {
        var config = ServerConfig.Read(result.GetValue(configPath)!);
        var (old, key) = SigningKeyFile.Rotate(config.Path, config.SigningKeyPath, TimeProvider.System.GetUtcNow());
        AnsiConsole.WriteLine($"{key} takes the place of {old} in {config.SigningKeyPath}. Restart all services, one after the other.");
        return 0;
    }
}

/// <summary><c>matrixctl generate-signing-key</c>: a key on standard output.</summary>
static class GenerateSigningKeyCommand
{
    public static Command Create()
    {
        var command = new Command("generate-signing-key", "Writes a new signing key to standard output.");
        command.SetAction(_ => Console.Out.Write(SigningKeyFile.New()));
        return command;
    }
}
