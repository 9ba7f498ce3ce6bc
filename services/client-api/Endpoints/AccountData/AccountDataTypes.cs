using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.AccountData;

static class AccountDataTypes
{
    /// <summary>Refuses the types that other endpoints keep (Client-Server API, Client config).</summary>
    public static void MustBeClients(string type)
    {
        if (type is "m.fully_read" or "m.push_rules") throw new MatrixException(405, "M_BAD_JSON", $"Cannot set {type} through this API.");
    }
}
