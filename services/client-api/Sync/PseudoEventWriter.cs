using System.Text;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync;

/// <summary>Writes what is not an event of a room in the form of events, alike for both kinds of sync.</summary>
static class PseudoEventWriter
{
    /// <summary>A list of account data.</summary>
    public static void AccountData(JsonSplicer to, IEnumerable<AccountDataItem> items)
    {
        to.Raw("["u8);
        var first = true;
        foreach (var item in items)
        {
            to.Comma(ref first);
            to.Raw("{\"type\":"u8);
            to.String(item.Type);
            to.Raw(",\"content\":"u8);
            to.Raw(Encoding.UTF8.GetBytes(item.Content));
            to.Raw("}"u8);
        }
        to.Raw("]"u8);
    }

    /// <summary>Who types in a room.</summary>
    public static void Typing(JsonSplicer to, IEnumerable<string> userIds)
    {
        to.Raw("{\"type\":\"m.typing\",\"content\":{\"user_ids\":"u8);
        to.Strings(userIds);
        to.Raw("}}"u8);
    }
}
