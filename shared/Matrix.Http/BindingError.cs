using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>What the framework could not bind, in the words of the spec. Its messages name C# types, so they are never passed on.</summary>
static partial class BindingError
{
    public static MatrixException Explain(BadHttpRequestException bad)
    {
        if (bad.StatusCode == StatusCodes.Status413PayloadTooLarge) return MatrixException.TooLarge();
        var parameter = Parameter().Match(bad.Message);
        var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Groups["name"].Value);
        if (!parameter.Success) return new MatrixException(bad.StatusCode, "M_UNKNOWN", "Bad request.");
        if (bad.Message.StartsWith("Failed to bind", StringComparison.Ordinal)) return MatrixException.InvalidParam($"Invalid parameter: {name}");
        return parameter.Groups["type"].Value.StartsWith("Body<", StringComparison.Ordinal)
            ? MatrixException.NotJson("The request needs a JSON body.")
            : MatrixException.MissingParam(name);
    }

    [GeneratedRegex("""^(Required|Failed to bind) parameter "(?<type>.+) (?<name>\w+)" """)]
    private static partial Regex Parameter();
}
