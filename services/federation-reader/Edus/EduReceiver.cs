using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.FederationReader.Edus;

/// <summary>Takes in what other servers tell besides events. It may be told the same again: a transaction that was not answered comes once more.</summary>
sealed partial class EduReceiver(ILogger<EduReceiver> logger)
{
    public Task Receive(ServerName origin, IReadOnlyList<JsonElement> edus, CancellationToken ct)
    {
        PassedOver(edus.Count, origin);
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Passed over {Count} EDUs of {Origin}")]
    partial void PassedOver(int count, ServerName origin);
}
