using System.Collections.Concurrent;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Policy;

/// <summary>
/// Asks the policy servers of rooms to sign events (Server-Server API, Policy Servers). One that does not answer is not asked again for some seconds: meanwhile
/// everything that it would have to sign is refused at once, instead of waiting.
/// </summary>
public sealed class PolicyServers(FederationClient client, RoomServers servers, TimeProvider time)
{
    const int MostErrorText = 500, MostResting = 1000;
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10), Rest = TimeSpan.FromSeconds(5);

    /// <summary>What a client may be told by a policy server. Other codes could mean something else to it, such as that it is logged out.</summary>
    static readonly HashSet<string> Errcodes = ["M_FORBIDDEN", "M_BAD_JSON", "M_NOT_JSON", "M_NOT_FOUND", "M_UNRECOGNIZED", "M_LIMIT_EXCEEDED", "M_TOO_LARGE"];

    readonly ConcurrentDictionary<ServerName, long> failed = new();

    /// <summary>The policy server that has a say about an event; null: the room uses none, or it is not asked about such events.</summary>
    /// <param name="state">What stands in the room's state at <c>m.room.policy</c>.</param>
    internal async ValueTask<RoomPolicy?> Find(long roomNid, Pdu? state, string type, string? stateKey, CancellationToken ct) =>
        state is not null && RoomPolicy.Concerns(type, stateKey) && RoomPolicy.Read(state) is { } policy && await servers.Contains(roomNid, policy.Server, ct)
            ? policy : null;

    /// <summary>The event with the policy server's signature.</summary>
    /// <exception cref="RoomException">It refuses, as it says; or it does not answer.</exception>
    internal async Task<Pdu> Sign(RoomPolicy policy, Pdu pdu, CancellationToken ct)
    {
        if (failed.TryGetValue(policy.Server, out var at) && time.GetElapsedTime(at) < Rest)
            throw Silent(policy);
        try
        {
            var signed = Take(policy, pdu, await client.Post<JsonElement>(policy.Server, "/_matrix/policy/v1/sign", pdu.Json, ct,
                new FederationRequest { Timeout = Timeout, MaxBytes = 64 << 10, IgnoreBackoff = true }));
            failed.TryRemove(policy.Server, out _);
            return signed;
        }
        catch (FederationException e) when (e is { Failure: FederationFailure.Refused, Status: >= 400 and < 500 })
        {
            failed.TryRemove(policy.Server, out _);
            throw Refusal(policy, e);
        }
        catch (FederationException)
        {
            if (failed.Count < MostResting)
                failed[policy.Server] = time.GetTimestamp();
            throw Silent(policy);
        }
    }

    static Pdu Take(RoomPolicy policy, Pdu pdu, JsonElement answer)
    {
        if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(policy.Server.ToString(), out var signatures)
            && signatures.ValueKind == JsonValueKind.Object && signatures.TryGetProperty(RoomPolicy.KeyId.ToString(), out var signature)
            && signature.ValueKind == JsonValueKind.String && UnpaddedBase64.Decode(signature.GetString()!) is { Length: 64 } bytes)
        {
            var signed = EventSignatures.AddSignature(pdu, policy.Server, RoomPolicy.KeyId, bytes);
            if (policy.HasSigned(signed))
                return signed.Json.Length <= Pdu.MaxBytes ? signed : throw new RoomException(413, "M_TOO_LARGE", "The event is too large to be signed by the policy server.");
        }
        throw RoomException.Forbidden("The room's policy server did not sign the event.");
    }

    static RoomException Refusal(RoomPolicy policy, FederationException e)
    {
        var status = e.Status is 400 or 403 or 404 or 429 ? e.Status.Value : 403;
        var errcode = e.Errcode is { } code && Errcodes.Contains(code) ? code : "M_FORBIDDEN";
        return new RoomException(status, errcode, Text(e.Body.Span) ?? $"The room's policy server {policy.Server} does not allow this.");
    }

    static string? Text(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } refusal && refusal.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.String && error.GetString() is { Length: > 0 and <= MostErrorText } text ? text : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static RoomException Silent(RoomPolicy policy) => new(504, "M_UNKNOWN", $"The room's policy server {policy.Server} does not answer.");
}
