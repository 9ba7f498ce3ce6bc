using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Events made up for tests.</summary>
static class Encoded
{
    public static EncodedEvent Event(string type, string sender, string content = "{}", string? stateKey = null)
    {
        var key = stateKey is null ? "" : $",\"state_key\":{JsonSerializer.Serialize(stateKey)}";
        var json = $$"""{"auth_events":[],"content":{{content}},"depth":3,"hashes":{"sha256":"x"},"origin_server_ts":17,"prev_events":["$p"],"room_id":"!r:x","sender":"{{sender}}","signatures":{}{{key}},"type":"{{type}}"}""";
        return EventEncoder.Encode(
            new EventRow(1, "$e", 2, "!r:x", "11", 5, type, stateKey, sender, 17, [], null, null, null, "DEV", "txn"), Encoding.UTF8.GetBytes(json));
    }
}
