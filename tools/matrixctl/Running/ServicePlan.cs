using System.Globalization;
using Matrix.Ctl.Configuration;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>Decides which processes a server is made of, where each listens, and what it is told through its environment.</summary>
static class ServicePlan
{
    public static IReadOnlyList<ReplicaPlan> Create(UpOptions options, ServerConfig config, PrivateStack stack)
    {
        var shared = Shared(options, config, stack);
        var front = new Dictionary<string, string>(shared) { ["MATRIX__listen"] = $"http://{options.Bind}:{options.Port}" };
        if (options.TlsPort is { } tlsPort) AddTls(front, $"https://{options.Bind}:{tlsPort}", options, config);
        if (options.AllInOne) return [new("all-in-one", ServiceKind.AllInOne, options.LocalUrl, front)];

        var ports = new HashSet<int>();
        var plans = new List<ReplicaPlan>();
        foreach (var service in ServiceKind.Workers)
        {
            var count = options.Replicas.GetValueOrDefault(service.Name, 1);
            for (var i = 0; i < count; i++)
            {
                var url = $"http://127.0.0.1:{FreePort.Pick(ports)}";
                if (service.HasRoutes) front[$"MATRIX__gateway__clusters__{service.Name}__{i}"] = url;
                var name = count == 1 ? service.Name : $"{service.Name}-{i + 1}";
                plans.Add(new(name, service, url, new Dictionary<string, string>(shared) { ["MATRIX__listen"] = url }));
            }
        }
        return [.. plans, new("gateway", ServiceKind.Gateway, options.LocalUrl, front)];
    }

    static Dictionary<string, string> Shared(UpOptions options, ServerConfig config, PrivateStack stack)
    {
        var variables = new Dictionary<string, string>
        {
            ["MATRIX_CONFIG"] = config.Path,
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

    static void AddTls(Dictionary<string, string> front, string address, UpOptions options, ServerConfig config)
    {
        front["MATRIX__tls_listen"] = address;
        if (config.TlsCertificatePath is not null) return;
        (front["MATRIX__tls_certificate_path"], front["MATRIX__tls_private_key_path"]) =
            TlsCertificate.FindOrCreate(options.DataFolder, config.ServerName);
    }
}
