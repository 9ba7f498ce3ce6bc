using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.Storage;

namespace Matrix.Ctl.Commands;

/// <summary>
/// <c>matrixctl hash-password</c>: the hash of a password as the database holds it, with the pepper and the work of the configuration.
/// </summary>
static class HashPasswordCommand
{
    static readonly Option<string?> password = new("--password", "-p") { Description = "The password; asked for when left out." };
    static readonly Option<string?> configPath = new("--config", "-c")
    {
        Description = "Configuration with bcrypt_rounds and password_config.pepper.",
    };
    static readonly Option<int?> rounds = new("--rounds", "-r") { Description = "Base-2 logarithm of the work, 4 to 31 (12)." };

    static readonly Option<bool> json = JsonOption.Create();

    public static Command Create()
    {
        var command = new Command("hash-password", "Prints the hash of a password.") { password, configPath, rounds, json };
        command.SetAction(Run);
        return command;
    }

    static int Run(ParseResult result)
    {
        var config = result.GetValue(configPath) is { } path ? ServerConfig.Read(path) : null;
        var text = result.GetValue(password) ?? PasswordPrompt.Ask();
        var hash = PasswordHash.Create(text, config?.Pepper ?? "", result.GetValue(rounds) ?? config?.BcryptRounds ?? 12);
        if (result.GetValue(json)) Steps.PrintJson(new JsonObject { ["hash"] = hash });
        else Console.Out.WriteLine(hash);
        return 0;
    }
}
