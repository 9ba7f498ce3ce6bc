using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// What a user's push rules say of an event that was written, as they are now. Whom an event concerns at all was found when it was written (<see
/// cref="EventNote"/>); this is asked for those few, for actions and because rules may have changed since.
/// </summary>
public sealed class PushJudge(PushRuleCache rules, StateEvents stateEvents, RoomFinder rooms, ThreadSubscribers subscribers)
{
    static readonly PushRules Everybody = PushRules.Compile(PushRuleset.Default(PushClass.Nobody), PushClass.Nobody);

    /// <summary>The power levels in a state; those of a room without any, if it is not known.</summary>
    public async ValueTask<PowerLevels> Levels(StateNodeId? root, CancellationToken ct)
    {
        if (root is not { } known)
            return PowerLevels.Read(null, null);
        var state = await stateEvents.Find(known, [new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")], ct);
        return PowerLevels.Read(state[0], state[1]);
    }

    /// <summary>Null: the user is not notified, or was not in the room and is not invited by it either.</summary>
    /// <param name="stateBefore">The state that the event was sent in; null: only who is invited by it is notified.</param>
    /// <param name="levels">Those of that state.</param>
    public async ValueTask<PushOutcome?> Judge(
        Pdu pdu, StateNodeId? stateBefore, PowerLevels levels, int memberCount, string userId, CancellationToken ct)
    {
        if (pdu.Sender.ToString() == userId)
            return null;
        var isInvited = pdu.StateKey == userId && pdu.Membership == "invite";
        var member = stateBefore is { } root ? await stateEvents.Find(root, EventTypes.Member, userId, ct) : null;
        if (member?.Membership != "join" && !isInvited)
            return null;
        var own = (await rules.Get([userId], ct))[0];
        var context = new PushContext(memberCount, member?.ContentString("displayname"u8), levels);
        var push = new PushEvent(pdu);
        if (own is not null && push.ThreadRoot is { } thread && own.In(pdu.RoomId).NeedsThread)
            context = context with { IsSubscribed = (await subscribers.Get((await rooms.Get(pdu.RoomId, ct)).RoomNid, thread.ToString(), ct)).Contains(userId) };
        var outcome = own is not null ? own.Judge(push, context)
            : (isInvited || Mentions.Read(pdu).Users.Contains(userId) ? Ordinary(userId) : Everybody).Evaluate(push, context);
        return outcome is { Notify: true } ? outcome : null;
    }

    static PushRules Ordinary(string user)
    {
        var userId = UserId.Parse(user);
        return PushRules.Compile(PushRuleset.Default(userId), userId);
    }
}
