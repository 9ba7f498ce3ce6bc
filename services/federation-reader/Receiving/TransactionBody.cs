using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.FederationReader.Receiving;

/// <summary>What a server sends at once: events by room, in their order, and what is no event.</summary>
sealed record TransactionBody(IReadOnlyList<IGrouping<RoomId, JsonElement>> Rooms, IReadOnlyList<JsonElement> Edus)
{
    /// <summary>Server-Server API, Transactions.</summary>
    const int MostPdus = 50, MostEdus = 100;

    /// <exception cref="MatrixException">It is no transaction, not of this server, or too large.</exception>
    public static TransactionBody Read(JsonElement body, ServerName origin)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("A transaction is an object.");
        if (body.TryGetProperty("origin", out var named) && (named.ValueKind != JsonValueKind.String || named.GetString() != origin.ToString()))
            throw MatrixException.Forbidden("The transaction's origin is not the server that sent it.");
        var (pdus, edus) = (List(body, "pdus", MostPdus), List(body, "edus", MostEdus));
        // an event without a room that could be known is none; neither is a transaction refused for it, which would then be sent for ever
        var rooms = pdus.Select(pdu => (Pdu: pdu, Room: Room(pdu))).Where(e => e.Room is not null).GroupBy(e => e.Room!.Value, e => e.Pdu).ToList();
        return new TransactionBody(rooms, edus);
    }

    static IReadOnlyList<JsonElement> List(JsonElement body, string name, int most)
    {
        if (!body.TryGetProperty(name, out var array))
            return [];
        if (array.ValueKind != JsonValueKind.Array)
            throw MatrixException.BadJson($"'{name}' must be an array.");
        return array.GetArrayLength() <= most ? [.. array.EnumerateArray()] : throw MatrixException.BadJson($"More than {most} {name} in a transaction.");
    }

    static RoomId? Room(JsonElement pdu) =>
        pdu.ValueKind == JsonValueKind.Object && pdu.TryGetProperty("room_id", out var room) && room.ValueKind == JsonValueKind.String
            && RoomId.TryParse(room.GetString(), out var id) ? id : null;
}
