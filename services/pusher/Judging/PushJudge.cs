using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;

namespace Matrix.Pusher.Judging;

/// <summary>
/// What a user's push rules say of an event, as they are now. Whom an event concerns at all was found when it was written (<see cref="EventNote"/>);
/// this is asked for those few, for sounds and because rules may have changed since.
/// </summary>
sealed class PushJudge(PushRuleCache rules, StateEvents stateEvents, RoomLabels labels)
{
    static readonly PushRules Everybody = PushRules.Compile(PushRuleset.Default(PushClass.Nobody), PushClass.Nobody);

    /// <summary>Null: the user is not notified, or was not in the room.</summary>
    public async ValueTask<PushOutcome?> Judge(PushedEvent e, string userId, CancellationToken ct)
    {
        var isInvited = e.Pdu.StateKey == userId && e.Pdu.Membership == "invite";
        var member = e.StateBefore is { } root ? await stateEvents.Find(root, EventTypes.Member, userId, ct) : null;
        if (member?.Membership != "join" && !isInvited)
            return null;
        var own = (await rules.Get([userId], ct))[0];
        var context = new PushContext((await labels.Get(e.Room.RoomNid, ct)).JoinedCount, member?.ContentString("displayname"u8), e.Levels);
        var outcome = own is not null ? own.Judge(new PushEvent(e.Pdu), context)
            : (isInvited || e.Mentions.Users.Contains(userId) ? Ordinary(userId) : Everybody).Evaluate(new PushEvent(e.Pdu), context);
        return outcome is { Notify: true } && e.Pdu.Sender.ToString() != userId ? outcome : null;
    }

    static PushRules Ordinary(string user)
    {
        var userId = UserId.Parse(user);
        return PushRules.Compile(PushRuleset.Default(userId), userId);
    }
}
