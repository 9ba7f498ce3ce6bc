using System.CommandLine;
using System.Text.Json.Nodes;
using Matrix.Ctl.Configuration;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary><c>matrixctl register-user</c>: makes an account on a running server, by flags or by asking.</summary>
static class RegisterUserCommand
{
    static readonly Option<string?> user = new("--user", "-u") { Description = "Local part of the user id; asked for when left out." };
    static readonly Option<string?> password = new("--password", "-p") { Description = "The password; asked for when left out." };
    static readonly Option<FileInfo?> passwordFile = new("--password-file") { Description = "File whose first line is the password." };
    static readonly Option<bool> admin = new("--admin", "-a") { Description = "Makes the account an administrator." };
    static readonly Option<bool> noAdmin = new("--no-admin") { Description = "Makes an ordinary account, without asking." };
    static readonly Option<string?> configPath = new("--config", "-c")
    {
        Description = "Configuration with the registration_shared_secret; that of the data folder when left out.",
    };
    static readonly Option<string?> sharedSecret = new("--shared-secret", "-k") { Description = "The registration_shared_secret itself." };
    static readonly Option<string> data = DataOption.Create();
    static readonly Option<bool> json = JsonOption.Create();
    static readonly Argument<string?> url = new("url")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Where the server answers; known for one that runs from the data folder.",
    };

    public static Command Create()
    {
        var command = new Command("register-user", "Makes an account.")
        {
            url, user, password, passwordFile, admin, noAdmin, configPath, sharedSecret, data, json,
        };
        command.SetAction(Run);
        return command;
    }

    static async Task<int> Run(ParseResult result, CancellationToken ct)
    {
        var folder = result.GetFolder(data);
        var server = ServerState.Find(folder);
        var address = result.GetValue(url) ?? server?.Url ?? "http://localhost:8008";
        var secret = result.GetValue(sharedSecret)
            ?? SecretOf(result.GetValue(configPath) ?? server?.ConfigPath ?? Path.Combine(folder, "homeserver.yaml"));
        var name = result.GetValue(user) ?? AskName();
        var text = result.GetValue(password)
            ?? (result.GetValue(passwordFile) is { } file ? File.ReadLines(file.FullName).FirstOrDefault("") : PasswordPrompt.Ask());
        var isAdmin = result.GetValue(admin) || (!result.GetValue(noAdmin) && result.GetValue(user) is null && !Console.IsInputRedirected
            && AnsiConsole.Confirm("Administrator?", defaultValue: false));

        using var http = new HttpClient { BaseAddress = new Uri(address) };
        var userId = await new SharedSecretRegistration(http, secret).Register(name, text, isAdmin, ct);
        if (result.GetValue(json)) Console.Out.WriteLine(new JsonObject { ["user_id"] = $"{userId}", ["admin"] = isAdmin }.ToJsonString());
        else AnsiConsole.MarkupLineInterpolated($"[green]{userId}[/] is registered{(isAdmin ? ", as an administrator" : "")}.");
        return 0;
    }

    static string SecretOf(string path) => ServerConfig.Read(path).RegistrationSharedSecret
        ?? throw new StackException($"{path} has no registration_shared_secret, without which no account can be made from outside.");

    static string AskName() => Console.IsInputRedirected
        ? Console.In.ReadLine() is { Length: > 0 } line ? line : throw new StackException("The user name is empty.")
        : AnsiConsole.Ask<string>("User name:");
}
