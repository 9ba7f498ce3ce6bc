using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Endpoints.Delayed;

/// <summary>A delayed event as its user sees it.</summary>
sealed record DelayedEventView(
    string DelayId, RoomId RoomId, string Type, string? StateKey, long DelayMs, long ScheduledAt, JsonElement Content, JsonElement? Error, string? EventId,
    long? FinalisedTs,
    // the names that earlier drafts had, which clients still read
    long Delay, long RunningSince)
{
    public static DelayedEventView Of(DelayedEvent e)
    {
        var scheduledAt = e.ScheduledAt.ToUnixTimeMilliseconds();
        return new DelayedEventView(
            e.DelayId, e.RoomId, e.Type, e.StateKey, e.DelayMs, scheduledAt, JsonElement.Parse(e.Content), e.Error is null ? null : JsonElement.Parse(e.Error),
            e.EventId, e.FinalisedAt?.ToUnixTimeMilliseconds(), e.DelayMs, scheduledAt);
    }
}
