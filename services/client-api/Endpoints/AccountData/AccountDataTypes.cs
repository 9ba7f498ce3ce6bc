using System.Text;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.AccountData;

static class AccountDataTypes
{
    // every device gets all of it with its first sync
    const int LargestContent = 512 << 10, LongestType = 255;

    /// <summary>Refuses what is too large to be kept and sent to every device.</summary>
    public static void MustFit(string type, ReadOnlyMemory<byte> content)
    {
        if (Encoding.UTF8.GetByteCount(type) > LongestType) throw MatrixException.InvalidParam("The type is too long.");
        if (content.Length > LargestContent) throw MatrixException.TooLarge("The content is too large.");
    }

    /// <summary>Refuses the types that other endpoints keep (Client-Server API, Client config).</summary>
    public static void MustBeClients(string type)
    {
        if (type is "m.fully_read" or "m.push_rules") throw new MatrixException(405, "M_BAD_JSON", $"Cannot set {type} through this API.");
    }
}
