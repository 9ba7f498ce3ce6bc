using Matrix.ClientApi.Sync;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>Servers that could not be asked: the members of <c>failures</c>.</summary>
static class Unreachable
{
    public static void Write(JsonSplicer to, IEnumerable<string> servers)
    {
        var first = true;
        foreach (var server in servers)
        {
            to.Comma(ref first);
            to.String(server);
            to.Raw(":{\"status\":503,\"message\":\"This server could not be asked.\"}"u8);
        }
    }
}
