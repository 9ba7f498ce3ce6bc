using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// Evaluates push rules for events that are about to be written: once for everybody with the ordinary rules, once for each class of others who are in
/// the room, and for those whom the event names. On warm caches it asks the database nothing.
/// </summary>
public sealed class EventNotices(RoomAudiences audiences, PushRuleCache rules, EventThreads threads, ThreadSubscribers subscribers, ServerSigningKey server)
{
    /// <summary>The most local users whom one event can mention one by one.</summary>
    const int MaxMentioned = 500;

    static readonly PowerLevels NoLevels = PowerLevels.Read(null, null);

    /// <summary>What the events of a chain mean for the counts of this server's users.</summary>
    internal async ValueTask<UnreadChanges> Of(EventChain chain, CancellationToken ct)
    {
        var isNew = chain.Head.Version == 0;
        var audience = chain.Events is [{ Merge: { Counts: not null } adopted }] ? await audiences.Adopt(chain.Room, chain.StateRoot, adopted, ct)
            : await audiences.Get(chain.Room, chain.StateRoot, isNew, ct);
        var notes = new EventNote?[chain.Events.Count];
        var moves = new List<UserMove>();
        for (var i = 0; i < notes.Length; i++)
        {
            var e = chain.Events[i];
            notes[i] = await Evaluate(chain, e, audience, ct);
            foreach (var (user, was, isNow) in Changed(e))
                await AddMove(moves, chain.Room, user, was, isNow, i, ct);
        }
        return new UnreadChanges(chain.Room.RoomNid, notes, moves);
    }

    /// <summary>The users of this server whose membership the event changes: the one it is about, or whoever the meeting of branches concerns.</summary>
    IEnumerable<(string User, string? Was, string? IsNow)> Changed(ChainedEvent e)
    {
        if (e.Merge is { } merge)
        {
            return merge.Members.Where(member => IsLocal(member.Key.StateKey))
                .Select(member => (member.Key.StateKey, merge.Find(member.Before)?.Membership, merge.Find(member.After)?.Membership));
        }
        return e.Pdu is { Type: EventTypes.Member, StateKey: { } target } && IsLocal(target) ? [(target, e.Replaced?.Membership, e.Pdu.Membership)] : [];
    }

    async ValueTask AddMove(List<UserMove> moves, Room room, string user, string? was, string? isNow, int index, CancellationToken ct)
    {
        var (before, after) = (was == "join", isNow == "join");
        if (before == after)
            return;
        var own = after ? (await rules.Get([user], ct))[0] : null;
        moves.RemoveAll(move => move.UserId == user);
        moves.Add(new UserMove(user, index, after, own?.In(room.RoomId).Level ?? NotifyLevel.Ordinary));
    }

    async ValueTask<EventNote?> Evaluate(EventChain chain, ChainedEvent e, RoomAudience audience, CancellationToken ct)
    {
        var pdu = e.Pdu;
        var mentions = Mentions.Read(pdu);
        var push = new PushEvent(pdu);
        var levels = mentions.Room || audience.Holders.Count > 0 ? await chain.PowerLevels(ct) : NoLevels;
        var context = new PushContext(audience.Joined, null, levels);
        var ordinary = PushClass.Ordinary.Evaluate(push, context);
        var relation = EventRelation.Read(pdu);
        var thread = relation?.EventId is null ? EventNote.Main : relation.ThreadRoot?.ToString();
        if (thread is null && (audience.NeedsThread || mentions.Users.Count > 0)) // else it makes no difference for whom the event counts
            thread = await threads.Find(chain.Room.RoomNid, relation, ct);
        var personal = new PersonalNotices(pdu.Sender.ToString(), ordinary, thread ?? EventNote.Main);
        await AddNamed(personal, push, context, mentions, chain, ct);
        await AddHolders(personal, push, context, audience, chain, ct);

        var isLocal = pdu.Sender.Server == server.ServerName;
        var reads = isLocal && IsMessage(pdu, relation);
        if (isLocal && !reads)
            personal.LeaveOutSender();
        if (ordinary == Notice.None && personal.Notices.Count == 0 && !reads)
            return null;
        return new EventNote(ordinary, reads, pdu.Sender.ToString(), thread ?? await threads.Find(chain.Room.RoomNid, relation, ct), personal.Notices);
    }

    /// <summary>Who writes a message has read what stands before it. A reaction, an edit or a change of state says nothing of the kind.</summary>
    static bool IsMessage(Pdu pdu, EventRelation? relation) =>
        !pdu.IsState && pdu.Type != EventTypes.Redaction && relation?.RelType is null or EventRelation.Thread;

    async ValueTask AddNamed(PersonalNotices personal, PushEvent e, PushContext context, Mentions mentions, EventChain chain, CancellationToken ct)
    {
        var sender = e.Pdu.Sender.ToString(); // for whom no rules are asked
        var named = mentions.Users.Where(user => user != sender && IsLocal(user)).Take(MaxMentioned).ToList();
        if (named.Count > 0)
            named = await audiences.Present(chain.StateRoot, named, ct);
        if (named.Count == 0)
            return;
        var own = await rules.Get(named, ct);
        PushRules? ordinaryNamed = null;
        for (var i = 0; i < named.Count; i++)
        {
            if (own[i] is { } holder)
            {
                var level = holder.In(chain.Room.RoomId);
                personal.Set(named[i], holder.Evaluate(e, await For(named[i], level, e, await WithName(context, named[i], chain, ct), chain, ct)), level.Level);
            }
            else // whoever has the ordinary rules and is named is like all others who are
                personal.Set(named[i], PushClass.ToNotice((ordinaryNamed ??= Ordinary(named[i])).Evaluate(e, context)), NotifyLevel.Ordinary);
        }
    }

    static async ValueTask<PushContext> WithName(PushContext context, string user, EventChain chain, CancellationToken ct) =>
        context with { DisplayName = (await chain.Find(EventTypes.Member, user, ct))?.ContentString("displayname"u8) };

    /// <summary>With what rules about threads have to know of the user.</summary>
    async ValueTask<PushContext> For(string user, PushClass rules, PushEvent e, PushContext context, EventChain chain, CancellationToken ct) =>
        rules.NeedsThread && e.ThreadRoot is { } root
            ? context with { IsSubscribed = (await subscribers.Get(chain.Room.RoomNid, root.ToString(), ct)).Contains(user) } : context;

    static PushRules Ordinary(string user)
    {
        var userId = UserId.Parse(user);
        return PushRules.Compile(PushRuleset.Default(userId), userId);
    }

    async ValueTask AddHolders(
        PersonalNotices personal, PushEvent e, PushContext context, RoomAudience audience, EventChain chain, CancellationToken ct)
    {
        if (audience.Holders.Count == 0)
            return;
        var done = new Dictionary<(PushClass, bool), Notice>();
        foreach (var holder in audience.Holders)
        {
            if (personal.Knows(holder.UserId))
                continue;
            var own = await For(holder.UserId, holder.Class, e, context, chain, ct);
            Notice notice;
            if (holder.Class.NeedsName)
                notice = holder.Rules.Evaluate(e, await WithName(own, holder.UserId, chain, ct));
            else if (!done.TryGetValue((holder.Class, own.IsSubscribed), out notice))
                done[(holder.Class, own.IsSubscribed)] = notice = holder.Class.Evaluate(e, own);
            personal.Set(holder.UserId, notice, holder.Class.Level);
        }
    }

    bool IsLocal(string userId) => UserId.TryParse(userId, out var user) && user.Server == server.ServerName;
}
