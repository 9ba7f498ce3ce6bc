using System.Text.Json;
using System.Text.Json.Serialization;
using Matrix.LocalStack;

namespace Matrix.Ctl.Running;

/// <summary>
/// What <c>run/server.json</c> of a data folder says about the server that runs from it: who looks after it, and where its parts answer.
/// Readable by its owner only, for the control token lets one restart services.
/// </summary>
sealed record ServerState(string ServerName, string Url, string? TlsUrl, string ConfigPath, ProcessIdentity Supervisor, int ControlPort,
    string ControlToken, bool IsRunning, string? Failure, IReadOnlyList<ReplicaState> Replicas)
{
    static string FileOf(string dataFolder) => Path.Combine(dataFolder, "run", "server.json");

    /// <summary>The last server of this folder, running or not; null when there was none.</summary>
    public static ServerState? Find(string dataFolder)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(dataFolder)), StateJson.Default.ServerState);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    public void Write(string dataFolder) =>
        AtomicFile.Write(FileOf(dataFolder), JsonSerializer.SerializeToUtf8Bytes(this, StateJson.Default.ServerState));

    public static void Remove(string dataFolder) => File.Delete(FileOf(dataFolder));

    /// <summary>The records of all processes that were started from this folder and not yet stopped, services and private parts.</summary>
    public static IEnumerable<RunRecord> Processes(string dataFolder)
    {
        var run = Path.Combine(dataFolder, "run");
        if (!Directory.Exists(run)) return [];
        return Directory.GetFiles(run, "*.json").Order()
            .Where(file => Path.GetFileName(file) != "server.json").Select(RunRecord.Find).OfType<RunRecord>();
    }
}

/// <summary>One process of a service.</summary>
sealed record ReplicaState(string Name, string Service, string Url);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServerState))]
sealed partial class StateJson : JsonSerializerContext;
