using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Matrix.Ctl.Commands;
using Matrix.Ctl.Running;
using Matrix.LocalStack;
using Spectre.Console;

namespace Matrix.Ctl.Admin;

/// <summary>A command that is one request to the admin API: what stands in braces in its path are its arguments.</summary>
/// <param name="Body">What is sent, or null.</param>
sealed partial record AdminCall(string Name, string Description, HttpMethod Method, string Path, object? Body = null)
{
    /// <summary>The answer's value is shown as a table if it is a list.</summary>
    public string? List { get; init; }

    static readonly Option<string> data = DataOption.Create();
    static readonly Option<string?> url = new("--url") { Description = "Where the gateway answers; that of the data folder's server when left out." };
    static readonly Option<string?> token = new("--token") { Description = "An administrator's access token; MATRIX_ADMIN_TOKEN when left out." };
    static readonly Option<bool> json = JsonOption.Create();

    public Command Create()
    {
        var arguments = Placeholder().Matches(Path).Select(match => new Argument<string>(match.Groups[1].Value)).ToList();
        var command = new Command(Name, Description) { url, token, data, json };
        foreach (var argument in arguments) command.Arguments.Add(argument);
        command.SetAction((result, ct) => Run(result, arguments, ct));
        return command;
    }

    async Task<int> Run(ParseResult result, List<Argument<string>> arguments, CancellationToken ct)
    {
        var server = result.GetValue(url) ?? ServerState.Find(result.GetFolder(data))?.Url
            ?? throw new StackException("Name the server by --url or --data.");
        var secret = result.GetValue(token) ?? Environment.GetEnvironmentVariable("MATRIX_ADMIN_TOKEN") ?? throw new StackException(
            "An administrator's access token is needed: --token or MATRIX_ADMIN_TOKEN. Clients show theirs among their settings.");
        // an mxc address is the two last segments of a path
        var path = arguments.Aggregate(Path, (path, argument) => path.Replace("{" + argument.Name + "}",
            result.GetValue(argument) is ['m', 'x', 'c', ':', '/', '/', .. var media]
                ? media : Uri.EscapeDataString(result.GetValue(argument)!), StringComparison.Ordinal));
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        using var request = new HttpRequestMessage(Method, server.TrimEnd('/') + path) { Content = Body is null ? null : JsonContent.Create(Body) };
        using var response = await Send(http, request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        if (!response.IsSuccessStatusCode) throw new StackException($"{(int)response.StatusCode}: {Reason(text)}");
        var answer = JsonNode.Parse(text)!;
        if (result.GetValue(json)) Console.Out.WriteLine(answer.ToJsonString());
        else Show(answer);
        return 0;
    }

    static async Task<HttpResponseMessage> Send(HttpClient http, HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, ct);
        }
        catch (HttpRequestException e)
        {
            throw new StackException($"The server does not answer: {e.Message}");
        }
    }

    static string Reason(string text)
    {
        try
        {
            return JsonNode.Parse(text)?["error"]?.GetValue<string>() ?? text;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }
    }

    void Show(JsonNode answer)
    {
        if (List is not null && answer[List] is JsonArray list)
        {
            var rows = list.OfType<JsonObject>().ToList();
            string[] columns = [.. rows.SelectMany(row => row.Select(cell => cell.Key)).Distinct()];
            var table = new Table().Border(TableBorder.None).AddColumns(columns);
            foreach (var row in rows) table.AddRow([.. columns.Select(column => new Text(row[column]?.ToString() ?? ""))]);
            if (rows.Count > 0) AnsiConsole.Write(table);
            AnsiConsole.WriteLine($"{rows.Count} of {answer["total"]?.ToString() ?? $"{rows.Count}"}");
        }
        else if (answer is JsonObject { Count: > 0 } one)
        {
            foreach (var (key, value) in one) AnsiConsole.WriteLine($"{key}: {value?.ToJsonString()}");
        }
        else
        {
            AnsiConsole.WriteLine("Done.");
        }
    }

    [GeneratedRegex("{([a-z-]+)}")]
    private static partial Regex Placeholder();
}
