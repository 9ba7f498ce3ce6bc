using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Access;

/// <summary>
/// What another server, which is in the room now, may see of an event: all of it, or what a redaction leaves, which is enough to keep the room's graph whole.
/// Under the visibilities <c>joined</c> and <c>invited</c> a user of the server has to have been there; of erased users nobody elsewhere sees anything more.
/// </summary>
public sealed class ServerVisibility(StateTree tree, StateEvents stateEvents, AccountStore accounts, ServerSigningKey own)
{
    /// <summary>The events as the server may have them, in the same order.</summary>
    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> Show(ServerName server, IReadOnlyList<StoredEvent> events, CancellationToken ct)
    {
        var erased = (await accounts.ListErased(
            [.. events.Select(e => e.Sender).Where(sender => sender.Server == own.ServerName).Select(sender => sender.ToString()).Distinct()], ct)).ToHashSet();
        var members = new MembersOfServer(server, tree, stateEvents);
        var shown = new List<ReadOnlyMemory<byte>>(events.Count);
        foreach (var e in events)
        {
            var whole = e.RedactedBy is null && !erased.Contains(e.Sender.ToString()) && await MaySee(server, e, members, ct);
            shown.Add(whole ? e.Json : Pdu.FromStored(e.EventId, e.Json, e.Rules).Redact().Json);
        }
        return shown;
    }

    async Task<bool> MaySee(ServerName server, StoredEvent e, MembersOfServer members, CancellationToken ct)
    {
        if (e.StateBefore is not { } root || e.Sender.Server == server)
            return true; // an outlier is known by its id only to who has it from others
        var visibility = HistoryVisibility.Read(await stateEvents.Find(root, EventTypes.HistoryVisibility, "", ct));
        if (visibility is HistoryVisibilityValue.Shared or HistoryVisibilityValue.WorldReadable || e is { Type: EventTypes.HistoryVisibility, StateKey: "" }
            || (e is { Type: EventTypes.Member, StateKey: { } key } && UserId.TryParse(key, out var target) && target.Server == server))
            return true;
        var memberships = await members.At(root, ct);
        return memberships.Contains("join") || (visibility == HistoryVisibilityValue.Invited && memberships.Contains("invite"));
    }

    /// <summary>The memberships of a server's users in the states of a page: the first is read whole, the next ones by what differs.</summary>
    sealed class MembersOfServer(ServerName server, StateTree tree, StateEvents stateEvents)
    {
        readonly string suffix = $":{server}";
        readonly Dictionary<string, long> members = [];
        StateNodeId? at;

        public async Task<IReadOnlySet<string>> At(StateNodeId root, CancellationToken ct)
        {
            if (at is not { } last)
            {
                foreach (var (key, nid) in (await tree.ReadAll(root, ct)).Select(e => (e.Key, e.EventNid)))
                    Set(key, nid);
            }
            else if (last != root)
            {
                foreach (var difference in await tree.Diff(last, root, ct))
                    Set(difference.Key, difference.After);
            }
            at = root;
            return (await stateEvents.Get(members.Values.ToHashSet(), ct)).Values.Select(pdu => pdu.Membership).OfType<string>().ToHashSet();
        }

        void Set(StateKeyPair key, long? nid)
        {
            if (key.Type != EventTypes.Member || !key.StateKey.EndsWith(suffix, StringComparison.Ordinal))
                return;
            if (nid is { } number)
                members[key.StateKey] = number;
            else
                members.Remove(key.StateKey);
        }
    }
}
