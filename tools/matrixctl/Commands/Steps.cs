using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Matrix.Ctl.Commands;

/// <summary>What a command does one after the other: told while it goes on, or as one JSON object when all is done.</summary>
static class Steps
{
    // for programs and people, not for web pages
    static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task Print(bool asJson, Func<Action<string>, Task> work)
    {
        var steps = new JsonArray();
        await work(step =>
        {
            if (asJson) steps.Add((JsonNode)step);
            else AnsiConsole.WriteLine(step);
        });
        if (asJson) PrintJson(new JsonObject { ["done"] = true, ["steps"] = steps });
    }

    public static void PrintJson(JsonNode value) => Console.Out.WriteLine(value.ToJsonString(Readable));
}
