using System.Security.Cryptography;
using System.Text.Json;

namespace Matrix.LocalStack;

/// <summary>What a data folder's private parts keep between starts: <c>stack.json</c>, readable by its owner only.</summary>
sealed record StackState(string Id, string Password, string PartsFolder, StackPorts Ports)
{
    const string FileName = "stack.json";

    /// <summary>The folder's state: the one of the last start with ports that are free now, or a new one.</summary>
    public static StackState ReadOrCreate(string dataFolder)
    {
        var last = Find(dataFolder);
        var state = last is null
            ? new StackState(RandomNumberGenerator.GetHexString(12, lowercase: true), RandomNumberGenerator.GetHexString(32, lowercase: true),
                "", StackPorts.PickFree(null))
            : last with { Ports = StackPorts.PickFree(last.Ports) };
        if (state != last) state.Write(dataFolder);
        return state;
    }

    public void Write(string dataFolder) =>
        AtomicFile.Write(Path.Combine(dataFolder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, RunJson.Default.StackState));

    public static StackState? Find(string dataFolder)
    {
        var file = Path.Combine(dataFolder, FileName);
        if (!File.Exists(file)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), RunJson.Default.StackState);
        }
        catch (JsonException e)
        {
            throw new StackException($"{file} cannot be read; restore it or start with another data folder.", e);
        }
    }
}

/// <summary>TCP ports on 127.0.0.1.</summary>
sealed record StackPorts(int Postgres, int Redis, int RabbitMq, int RabbitMqDistribution, int Epmd)
{
    /// <summary>Those of <paramref name="last"/> that are free, others in place of those that are not.</summary>
    public static StackPorts PickFree(StackPorts? last)
    {
        var taken = new HashSet<int>();
        return new(Pick(last?.Postgres), Pick(last?.Redis), Pick(last?.RabbitMq), Pick(last?.RabbitMqDistribution), Pick(last?.Epmd));

        int Pick(int? wanted) => wanted is { } port && taken.Add(port) && FreePort.TryKeep(port) ? port : FreePort.Pick(taken);
    }
}
