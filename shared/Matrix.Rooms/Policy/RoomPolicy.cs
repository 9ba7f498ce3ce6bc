using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Rooms.Policy;

/// <summary>The policy server that a room names in <c>m.room.policy</c> (Server-Server API, Policy Servers).</summary>
/// <param name="Key">Null: what the room names is no key, so nothing is signed by it.</param>
sealed record RoomPolicy(ServerName Server, VerifyKey? Key)
{
    /// <summary>Whatever the key in the room's state, this is what it is called.</summary>
    public static KeyId KeyId { get; } = KeyId.Parse("ed25519:policy_server");

    /// <summary>Null: the room names none, or not as it should.</summary>
    public static RoomPolicy? Read(Pdu? state) =>
        state is not null && ServerName.TryParse(state.ContentString("via"u8), out var server)
        && state.Content.TryGetProperty("public_keys", out var keys) && keys.ValueKind == JsonValueKind.Object
        && keys.TryGetProperty("ed25519", out var key) && key.ValueKind == JsonValueKind.String
            ? new RoomPolicy(server, VerifyKey.TryParse(key.GetString()!)) : null;

    /// <summary>Does a policy server have a say about such an event? Not about who is the policy server.</summary>
    public static bool Concerns(string type, string? stateKey) => type != EventTypes.Policy || stateKey is not "";

    public bool HasSigned(Pdu pdu) => Key is not null && EventSignatures.Verify(pdu, Server, id => id == KeyId ? Key : null);
}
