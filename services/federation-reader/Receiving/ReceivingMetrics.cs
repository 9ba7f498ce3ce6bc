using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Matrix.Protocol;
using Matrix.Storage.Inbox;

namespace Matrix.FederationReader.Receiving;

/// <summary>The meter <c>Matrix.FederationReader</c>: what other servers send, what of it is not taken, and what waits.</summary>
static class ReceivingMetrics
{
    /// <summary>Servers that are named in the metrics. Anybody can have any number of names: those that come later are counted together.</summary>
    const int MostOrigins = 200;

    static readonly Meter Meter = new("Matrix.FederationReader");
    static readonly Counter<long> Transactions = Meter.CreateCounter<long>("matrix.federation.received.transactions", description: "Transactions of other servers");
    static readonly Counter<long> Pdus = Meter.CreateCounter<long>("matrix.federation.received.pdus", description: "PDUs in transactions of other servers");
    static readonly Counter<long> Edus = Meter.CreateCounter<long>("matrix.federation.received.edus", description: "EDUs in transactions of other servers");
    static readonly Counter<long> Refusals = Meter.CreateCounter<long>("matrix.federation.received.refused", description: "PDUs and transactions that were not taken, by their server and why");
    static readonly ConcurrentDictionary<ServerName, string> Origins = [];

    public static void Received(TransactionBody transaction)
    {
        Transactions.Add(1);
        Pdus.Add(transaction.Rooms.Sum(room => room.Count()));
        Edus.Add(transaction.Edus.Count);
    }

    /// <summary>Not an event as it should be, or from a server that may not be in the room.</summary>
    public static void Refused(ServerName origin) => Count(origin, "refused");

    /// <summary>The auth rules forbid it.</summary>
    public static void Rejected(ServerName origin) => Count(origin, "rejected");

    /// <summary>What it needs was not to be had.</summary>
    public static void GivenUp(ServerName origin) => Count(origin, "given up");

    /// <summary>A whole transaction: too much of its server waits already.</summary>
    public static void Full(ServerName origin) => Count(origin, "full");

    /// <summary>What waits, as it was seen last.</summary>
    public static IDisposable Observe(Func<InboxDepth> depth)
    {
        var meter = new Meter("Matrix.FederationReader");
        meter.CreateObservableGauge("matrix.federation.inbox", () => depth().Events, description: "PDUs that wait for what they build on");
        meter.CreateObservableGauge("matrix.federation.inbox.lanes", () => depth().Lanes, description: "Rooms of other servers in which PDUs wait");
        meter.CreateObservableGauge("matrix.federation.inbox.age", () => depth().OldestSeconds, "s", "How long the first of them has waited");
        return meter;
    }

    static void Count(ServerName origin, string reason) => Refusals.Add(1, new("origin", NameOf(origin)), new("reason", reason));

    static string NameOf(ServerName origin) =>
        Origins.TryGetValue(origin, out var name) ? name : Origins.Count < MostOrigins ? Origins.GetOrAdd(origin, static origin => origin.ToString()) : "others";
}
