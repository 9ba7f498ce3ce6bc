using Matrix.Protocol;

namespace Matrix.Federation;

/// <summary>An event of another server after its checks: the event, or why it is refused.</summary>
/// <param name="Pdu">With a wrong content hash, what a redaction would leave of it. Null if it is refused.</param>
/// <param name="Refusal">Why it is refused; null if it is not.</param>
/// <param name="EventId">Known also of most of those that are refused: not of those that are no events.</param>
public sealed record VerifiedPdu(Pdu? Pdu, string? Refusal, EventId? EventId = null);

/// <summary>
/// The checks of an event that need no room (Server-Server API, Checks performed on receipt of a PDU, 1 to 3): format and size, signatures,
/// content hash. A batch asks for all its keys at once and uses all processors.
/// </summary>
public sealed class EventVerifier(KeyRing keys)
{
    /// <summary>Answers in the order of the events.</summary>
    public async Task<IReadOnlyList<VerifiedPdu>> Verify(IReadOnlyList<ReadOnlyMemory<byte>> events, RoomVersionRules rules, CancellationToken ct)
    {
        var parsed = new Parsed[events.Count];
        await ForEach(events.Count, i => parsed[i] = Parse(events[i], rules), ct);
        return await Verify(parsed, ct);
    }

    /// <summary>The same for events that are parsed already.</summary>
    public Task<IReadOnlyList<VerifiedPdu>> Verify(IReadOnlyList<Pdu> events, CancellationToken ct) =>
        Verify([.. events.Select(pdu => new Parsed(pdu, null, EventSignatures.RequiredSigners(pdu)))], ct);

    async Task<IReadOnlyList<VerifiedPdu>> Verify(Parsed[] parsed, CancellationToken ct)
    {
        var known = await keys.Load([.. parsed.SelectMany(Wanted)], ct);
        var verified = new VerifiedPdu[parsed.Length];
        await ForEach(parsed.Length, i => verified[i] = Check(parsed[i], known), ct);
        return verified;
    }

    // a policy server's key stands in the room, and is published nowhere
    static IEnumerable<KeyRequest> Wanted(Parsed parsed) =>
        parsed.Pdu is not { } pdu ? [] : parsed.Signers.SelectMany(server => EventSignatures.KeyIds(pdu, server).Where(key => key.Version != "policy_server").Select(key => new KeyRequest(server, key, ValidAt(pdu))));

    // before version 5 a key counted for ever
    static long ValidAt(Pdu pdu) => pdu.Rules.EnforcesKeyValidity ? pdu.OriginServerTs : 0;

    static Parsed Parse(ReadOnlyMemory<byte> json, RoomVersionRules rules)
    {
        try
        {
            var pdu = Pdu.Parse(json, rules);
            return new(pdu, null, EventSignatures.RequiredSigners(pdu));
        }
        catch (ProtocolException e)
        {
            return new(null, e.Message, []);
        }
    }

    static VerifiedPdu Check(Parsed parsed, IReadOnlyDictionary<ServerName, KnownKeys> known)
    {
        if (parsed.Pdu is not { } pdu)
            return new(null, parsed.Refusal);
        try
        {
            foreach (var server in parsed.Signers)
            {
                var keys = known.GetValueOrDefault(server) ?? KnownKeys.None;
                if (!EventSignatures.Verify(pdu, server, id => keys.Keys.TryGetValue(id, out var key) && key.IsValidAt(ValidAt(pdu)) ? key.Key : null))
                    return new(null, $"It has no good signature of {server}.", pdu.EventId);
            }
            return new(pdu.HasValidContentHash ? pdu : pdu.Redact(), null, pdu.EventId);
        }
        catch (ProtocolException e)
        {
            return new(null, e.Message, pdu.EventId);
        }
    }

    static Task ForEach(int count, Action<int> work, CancellationToken ct)
    {
        if (count > 2)
            return Task.Run(() => Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = ct }, work), ct);
        for (var i = 0; i < count; i++)
            work(i);
        return Task.CompletedTask;
    }

    readonly record struct Parsed(Pdu? Pdu, string? Refusal, IReadOnlyList<ServerName> Signers);
}
