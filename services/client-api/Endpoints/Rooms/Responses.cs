using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Rooms;

sealed record RoomIdResponse(RoomId RoomId);

sealed record EventIdResponse(EventId EventId);

/// <summary>The body of requests that may give a reason and need nothing else.</summary>
sealed record ReasonRequest(string? Reason);

/// <summary>The body of requests that are about another user.</summary>
sealed record TargetRequest(UserId UserId, string? Reason);
