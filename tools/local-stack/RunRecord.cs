using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.LocalStack;

/// <summary>What is written down about a started process, so that another run of the tool finds and stops exactly that process.</summary>
public sealed record RunRecord(string Name, ProcessIdentity Process, DateTimeOffset StartedAt, string? Address = null)
{
    /// <summary>The record in this file, or null when there is none that can be read.</summary>
    public static RunRecord? Find(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), RunJson.Default.RunRecord);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Write(string file) => AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(this, RunJson.Default.RunRecord));
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunRecord)), JsonSerializable(typeof(StackState))]
sealed partial class RunJson : JsonSerializerContext;
