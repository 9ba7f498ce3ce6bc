using System.Text.Json;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.PushRules;

static class PushRuleActions
{
    /// <summary>Words, or tweaks with a name (Client-Server API, Push rules: Actions).</summary>
    public static void MustBeGood(JsonElement[] actions)
    {
        if (!actions.All(action => action.ValueKind == JsonValueKind.String || IsTweak(action)))
            throw MatrixException.InvalidParam("An action is a word or an object with set_tweak.");
    }

    static bool IsTweak(JsonElement action) => action.ValueKind == JsonValueKind.Object
        && action.TryGetProperty("set_tweak", out var name) && name.ValueKind == JsonValueKind.String;
}
