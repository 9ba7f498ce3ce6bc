using Matrix.ClientApi.Sync.Typing;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Who is typing, where that changed.</summary>
sealed class TypingExtension(TypingRooms typing)
{
    public void Fill(ExtensionContext context, ExtensionScope scope)
    {
        var (mark, changes) = typing.ListSince(context.Request.Pos?.Typing);
        context.Result.Extensions.TypingMark = mark;
        if (changes.Count == 0)
            return;
        var fresh = context.Fresh(scope).Select(room => room.RoomNid).ToHashSet();
        foreach (var change in changes)
        {
            if (context.Joined(change.RoomNid) is { } room && (fresh.Contains(change.RoomNid) || context.Followed(scope, change.RoomNid) is not null))
                context.Result.Extensions.Typing[room.RoomId] = change.UserIds;
        }
    }
}
