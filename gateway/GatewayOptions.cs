using System.ComponentModel.DataAnnotations;
using Matrix.Gateway.Routing;
using Matrix.Hosting.Configuration;

namespace Matrix.Gateway;

/// <summary>The section <c>gateway</c>.</summary>
public sealed class GatewayOptions : IValidatableObject
{
    /// <summary>
    /// The replicas of each service, as in <c>client-api: [http://10.0.0.1:8080]</c>. client-api must be there; of a host name all addresses are
    /// replicas.
    /// </summary>
    public Dictionary<string, IReadOnlyList<string>> Clusters { get; init; } = [];

    /// <summary>A file with the same, in JSON, on top of <c>clusters</c>. It is read again when it changes: replicas come and go without a restart.</summary>
    public string? ClustersFile { get; init; }

    /// <summary>How often each replica is asked whether it is ready.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")] public TimeSpan HealthInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the host names among the replicas are looked up again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")] public TimeSpan ResolveInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request waits while no replica can be reached, such as during the restart of the only one.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")] public TimeSpan WaitForReplica { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How long a service may be silent within a request. It must be longer than the longest poll.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many bytes of media are kept in memory, to be sent again when media-repo has said that they may be. 0: none.</summary>
    [ByteSize, Range(0, 1L << 40)] public long MediaCacheSize { get; init; } = 32 << 20;

    /// <summary>The largest piece of media that is kept.</summary>
    [ByteSize, Range(0, 1L << 30)] public long MediaCacheLargest { get; init; } = 2 << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Clusters.ContainsKey(RouteTable.ClientApi))
            yield return new ValidationResult($"{RouteTable.ClientApi} is missing", [nameof(Clusters)]);
        foreach (var (service, replicas) in Clusters)
        {
            if (!RouteTable.Services.Concat(RouteTable.Workers).Contains(service))
                yield return new ValidationResult($"'{service}' is not one of {string.Join(", ", RouteTable.Services.Concat(RouteTable.Workers))}", [nameof(Clusters)]);
            foreach (var replica in replicas)
                if (!Uri.TryCreate(replica, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                    yield return new ValidationResult($"{service}: '{replica}' is not an address such as http://127.0.0.1:8080", [nameof(Clusters)]);
        }
    }
}

/// <summary>Keys of the top level, named as Synapse names them.</summary>
public sealed class GatewayListenOptions
{
    /// <summary>The largest upload.</summary>
    [ByteSize, Range(0, 1L << 50)] public long MaxUploadSize { get; init; } = 50 << 20;
}
