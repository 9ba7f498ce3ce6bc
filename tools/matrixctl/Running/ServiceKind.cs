using System.Runtime.InteropServices;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>
/// A service of the homeserver: its name in the configuration, the project that builds it, and whether the gateway sends it requests.
/// </summary>
sealed record ServiceKind(string Name, string Project, bool HasRoutes = true)
{
    public static readonly ServiceKind Gateway = new("gateway", "Matrix.Gateway");
    public static readonly ServiceKind AllInOne = new("all-in-one", "Matrix.AllInOne");

    /// <summary>What the gateway or the log gives work to. Each may run as several replicas.</summary>
    public static readonly IReadOnlyList<ServiceKind> Workers =
    [
        new("client-api", "Matrix.ClientApi"),
        new("federation-reader", "Matrix.FederationReader"),
        new("federation-sender", "Matrix.FederationSender", HasRoutes: false),
        new("media-repo", "Matrix.MediaRepo"),
        new("pusher", "Matrix.Pusher", HasRoutes: false),
    ];

    /// <summary>The command that runs it, built in the same place and configuration as this tool: artifacts/bin/PROJECT/release.</summary>
    public IReadOnlyList<string> Command
    {
        get
        {
            var own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
            var assembly = Path.GetFullPath(Path.Combine(own, "..", "..", Project, Path.GetFileName(own), Project + ".dll"));
            return File.Exists(assembly) ? [Dotnet, assembly] : throw new StackException($"{assembly} is not built; ./run builds it.");
        }
    }

    /// <summary>The dotnet command of the runtime that we run on.</summary>
    public static string Dotnet { get; } = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
}
