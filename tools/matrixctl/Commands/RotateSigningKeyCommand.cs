using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl rotate-signing-key --config-path FILE</c>: a new key signs from the next start on, the old one stays known.</summary>
static class RotateSigningKeyCommand
{
    static readonly Option<string> configPath = new("--config-path", "-c") { Required = true, Description = "The server's homeserver.yaml." };

    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create(string name = "rotate-signing-key")
    {
        var command = new Command(name, "Makes a new signing key and lists the old one among old_signing_keys.") { configPath, json };
        command.SetAction(Run);
        return command;
    }

    static int Run(ParseResult result)
    {
        var config = ServerConfig.Read(result.GetValue(configPath)!);
        var (old, key) = SigningKeyFile.Rotate(config.Path, config.SigningKeyPath, TimeProvider.System.GetUtcNow());
        if (result.GetValue(json))
            Console.Out.WriteLine(new JsonObject { ["new"] = $"{key}", ["old"] = $"{old}", ["file"] = config.SigningKeyPath }.ToJsonString());
        else
            AnsiConsole.WriteLine($"{key} takes the place of {old} in {config.SigningKeyPath}. Restart all services, one after the other.");
        return 0;
    }
}

/// <summary><c>matrixctl generate-signing-key</c>: a key on standard output.</summary>
static class GenerateSigningKeyCommand
{
    public static Command Create(string name = "generate-signing-key")
    {
        var command = new Command(name, "Writes a new signing key to standard output.");
        command.SetAction(_ => Console.Out.Write(SigningKeyFile.New()));
        return command;
    }
}

/// <summary><c>matrixctl keys rotate</c> and <c>generate</c>: the two above under one name.</summary>
static class KeysCommand
{
    public static Command Create() => new("keys", "Looks after the signing key.")
    {
        RotateSigningKeyCommand.Create("rotate"), GenerateSigningKeyCommand.Create("generate"),
    };
}
