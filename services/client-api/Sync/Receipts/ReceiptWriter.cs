using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Receipts;

/// <summary>Writes receipts of one room as an m.receipt event: by event, by type, by user.</summary>
static class ReceiptWriter
{
    public static void Write(JsonSplicer to, IReadOnlyList<Receipt> receipts)
    {
        to.Raw("{\"type\":\"m.receipt\",\"content\":{"u8);
        var firstEvent = true;
        foreach (var byEvent in receipts.GroupBy(receipt => receipt.EventId))
        {
            to.Comma(ref firstEvent);
            to.String(byEvent.Key);
            to.Raw(":{"u8);
            var firstType = true;
            foreach (var byType in byEvent.GroupBy(receipt => receipt.ReceiptType))
            {
                to.Comma(ref firstType);
                to.String(byType.Key);
                to.Raw(":{"u8);
                Users(to, byType);
                to.Raw("}"u8);
            }
            to.Raw("}"u8);
        }
        to.Raw("}}"u8);
    }

    // A user can have one for the room and one for a thread at the same event: the format has place for one. That for the room says more.
    static void Users(JsonSplicer to, IEnumerable<Receipt> receipts)
    {
        var first = true;
        foreach (var receipt in receipts.GroupBy(receipt => receipt.UserId).Select(own => own.MaxBy(receipt => (receipt.ThreadId.Length == 0, receipt.Position))!))
        {
            to.Comma(ref first);
            to.String(receipt.UserId);
            to.Raw(":{\"ts\":"u8);
            to.Number(receipt.Ts);
            if (receipt.ThreadId.Length > 0)
            {
                to.Raw(",\"thread_id\":"u8);
                to.String(receipt.ThreadId);
            }
            to.Raw("}"u8);
        }
    }
}
