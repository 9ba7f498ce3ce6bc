using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Events made up for tests.</summary>
static class Encoded
{
    public static EncodedEvent Event(string type, string sender, string content = "{}", string? stateKey = null, string version = "11", string? redacts = null)
    {
        var key = stateKey is null ? "" : $",\"state_key\":{JsonSerializer.Serialize(stateKey)}";
        var target = redacts is null ? "" : $",\"redacts\":\"{redacts}\"";
        var json = $$"""{"auth_events":[],"content":{{content}},"depth":3,"hashes":{"sha256":"x"},"origin_server_ts":17,"prev_events":["$p"]{{target}},"room_id":"!r:x","sender":"{{sender}}","signatures":{}{{key}},"type":"{{type}}"}""";
        return EventEncoder.Encode(
            new EventRow(1, "$e", 2, "!r:x", version, 5, type, stateKey, sender, 17, Encoding.UTF8.GetBytes(json), null, null, null, "DEV", "txn"));
    }
}
