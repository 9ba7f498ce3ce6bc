namespace Matrix.Ctl.Running;

/// <summary>What <c>matrixctl up</c> was asked for.</summary>
sealed record UpOptions
{
    public required string DataFolder { get; init; }
    public string? ConfigPath { get; init; }
    public string? ServerName { get; init; }

    /// <summary>Address that the gateway listens on.</summary>
    public string Bind { get; init; } = "127.0.0.1";
    public int Port { get; init; } = 8008;
    public int? TlsPort { get; init; }
    public IReadOnlyDictionary<string, int> Replicas { get; init; } = new Dictionary<string, int>();

    /// <summary>Bytes for each process of a service.</summary>
    public IReadOnlyDictionary<string, long> Memory { get; init; } = new Dictionary<string, long>();
    public bool AllInOne { get; init; }
    public bool OpenRegistration { get; init; }

    /// <summary>How we reach the gateway ourselves.</summary>
    public string LocalUrl => $"http://{LocalHost}:{Port}";
    public string? LocalTlsUrl => TlsPort is { } port ? $"https://{LocalHost}:{port}" : null;

    string LocalHost => Bind is "0.0.0.0" or "*" or "[::]" ? "127.0.0.1" : Bind;
}
