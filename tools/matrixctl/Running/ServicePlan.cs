using System.Globalization;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>Decides which processes a server is made of, where each listens, and what it is told through its environment.</summary>
sealed class ServicePlan(UpOptions options, ServerConfig config, PrivateStack stack)
{
    readonly HashSet<int> ports = [];
    readonly Dictionary<string, string> shared = Shared(options, config, stack);

    /// <summary>Where the gateway reads the replicas from.</summary>
    public string ClustersFile => Path.Combine(options.DataFolder, "run", "clusters");

    /// <summary>Where every process reads the log levels from that were asked for since the start.</summary>
    public static string LogLevelsFile(string dataFolder) => Path.Combine(dataFolder, "run", "log-levels");

    /// <summary>The processes at the start; the last serves these ports.</summary>
    public IReadOnlyList<ReplicaPlan> Create(IReadOnlyList<ListeningSocket> open)
    {
        var front = new Dictionary<string, string>(shared) { ["MATRIX__listen"] = $"fd:{open[0].Number}" };
        if (options.TlsPort is not null) AddTls(front, open[1]);
        MemoryLimits.Apply(front, options.AllInOne ? ServiceKind.AllInOne : ServiceKind.Gateway, options);
        if (options.AllInOne) return [new("all-in-one", ServiceKind.AllInOne, options.LocalUrl, front) { Ports = open }];

        var plans = new List<ReplicaPlan>();
        foreach (var service in ServiceKind.Workers)
        {
            var count = options.Replicas.GetValueOrDefault(service.Name, 1);
            for (var i = 1; i <= count; i++) plans.Add(CreateReplica(service, count == 1 ? service.Name : $"{service.Name}-{i}"));
        }
        foreach (var (plan, i) in plans.Where(plan => plan.Service.HasRoutes).Select((plan, i) => (plan, i)))
            front[$"MATRIX__gateway__clusters__{plan.Service.Name}__{i}"] = plan.Url;
        front["MATRIX__gateway__clusters_file"] = ClustersFile;
        // at most; long enough that a connection which nobody used meanwhile is not used just when it is closed
        front.TryAdd("MATRIX__shutdown_drain", "5s");
        return [.. plans, new("gateway", ServiceKind.Gateway, options.LocalUrl, front) { Ports = open }];
    }

    public ReplicaPlan CreateReplica(ServiceKind service, string name)
    {
        var url = $"http://127.0.0.1:{FreePort.Pick(ports)}";
        // metrics_listen is for the gateway: the others answer /metrics on a port of their own, and all read one file
        var environment = new Dictionary<string, string>(shared) { ["MATRIX__listen"] = url, ["MATRIX__metrics_listen"] = "" };
        MemoryLimits.Apply(environment, service, options);
        return new(name, service, url, environment);
    }

    static Dictionary<string, string> Shared(UpOptions options, ServerConfig config, PrivateStack stack)
    {
        var variables = new Dictionary<string, string>
        {
            ["MATRIX_CONFIG"] = config.Path,
            ["MATRIX__log__levels_file"] = LogLevelsFile(options.DataFolder),
            ["DOTNET_TieredPGO"] = "0", // instrumented code costs a starting process time and memory, and these start often
            ["MALLOC_ARENA_MAX"] = "1", // the runtime has its own heap: native arenas for each thread only cost memory, some 3 MB a process
        };
        Add("database__args", stack.Postgres, "user", ("database", "matrix"));
        Add("rabbitmq", stack.RabbitMq, "username", ("virtual_host", "/"));
        Add("redis", stack.Redis, null);
        if (config.PublicBaseUrl is null) variables["MATRIX__public_baseurl"] = options.LocalUrl + "/";
        if (options.OpenRegistration)
            variables["MATRIX__enable_registration"] = variables["MATRIX__enable_registration_without_verification"] = "true";
        return variables;

        void Add(string section, StackEndpoint? part, string? userKey, params ReadOnlySpan<(string Key, string Value)> more)
        {
            if (part is null) return;
            variables[$"MATRIX__{section}__host"] = StackEndpoint.Host;
            variables[$"MATRIX__{section}__port"] = part.Port.ToString(CultureInfo.InvariantCulture);
            variables[$"MATRIX__{section}__password"] = part.Password;
            if (userKey is not null) variables[$"MATRIX__{section}__{userKey}"] = part.User;
            foreach (var (key, value) in more) variables[$"MATRIX__{section}__{key}"] = value;
        }
    }

    void AddTls(Dictionary<string, string> front, ListeningSocket port)
    {
        front["MATRIX__tls_listen"] = $"fd:{port.Number}";
        if (config.TlsCertificatePath is not null) return;
        (front["MATRIX__tls_certificate_path"], front["MATRIX__tls_private_key_path"]) =
            TlsCertificate.FindOrCreate(options.DataFolder, config.ServerName);
    }
}
