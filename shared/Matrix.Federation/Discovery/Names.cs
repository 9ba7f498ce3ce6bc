using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace Matrix.Federation;

/// <summary>An SRV record's answer.</summary>
public sealed record ServiceRecord(string Host, int Port, int Priority, int Weight);

/// <summary>How names become addresses. Outside of tests: by the operating system, which knows its hosts file, and SRV records by DNS.</summary>
public sealed class Names
{
    static readonly Lazy<LookupClient> Dns = new(() => new LookupClient(new LookupClientOptions
    {
        Timeout = TimeSpan.FromSeconds(5),
        Retries = 1,
        UseCache = true,
        ThrowDnsErrors = false,
    }));

    /// <summary>The addresses of a host; throws <see cref="System.Net.Sockets.SocketException"/> when there are none.</summary>
    public Func<string, int, CancellationToken, Task<IPEndPoint[]>> FindAddresses { get; init; } = async (host, port, ct) =>
        [.. (await System.Net.Dns.GetHostAddressesAsync(host, ct)).Select(address => new IPEndPoint(address, port))];

    /// <summary>The SRV records of a name such as <c>_matrix-fed._tcp.example.org</c>; none where it has none. Throws where no resolver knows.</summary>
    public Func<string, CancellationToken, Task<IReadOnlyList<ServiceRecord>>> FindServices { get; init; } = async (name, ct) =>
    {
        var answer = await Dns.Value.QueryAsync(name, QueryType.SRV, cancellationToken: ct);
        if (answer.HasError && answer.Header.ResponseCode != DnsHeaderResponseCode.NotExistentDomain)
            throw new DnsResponseException((DnsResponseCode)answer.Header.ResponseCode, answer.ErrorMessage);
        return [.. answer.Answers.OfType<SrvRecord>().Select(Read)];
    };

    static ServiceRecord Read(SrvRecord record) => new(record.Target.Value.TrimEnd('.'), record.Port, record.Priority, record.Weight);
}
