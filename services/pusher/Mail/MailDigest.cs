using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Matrix.Hosting.Configuration;
using Matrix.Protocol;
using Matrix.Pusher.Judging;
using Matrix.Pusher.Work;
using Matrix.Rooms.State;
using Matrix.Rooms.Unread;
using Matrix.Storage.Push;
using Matrix.Storage.Rooms;

namespace Matrix.Pusher.Mail;

/// <summary>A mail that is due, and what it leaves for a later one.</summary>
/// <param name="Mail">Null: nothing is due that is still unread.</param>
/// <param name="Rooms">Those in the mail, with the newest event's position, and how many mails it makes since the room was read.</param>
/// <param name="Kept">Of rooms that were mailed about too lately.</param>
sealed record Digest(
    OutgoingMail? Mail, IReadOnlyList<(long RoomNid, long Position, int Mails)> Rooms, IReadOnlyCollection<Due> Kept);

/// <summary>Makes one mail of all that a user has not read.</summary>
sealed class MailDigest(
    NotificationStore notifications, PushMailStore mailed, EventStore stored, RoomSummaryStore summaries, PushEvents events, PushJudge judge, RoomLabels labels,
    MembershipStore memberships, StateEvents stateEvents, MailTemplates templates, MailLinks links, MailOptions options, HomeserverOptions homeserver, TimeProvider time)
{
    const int MostMarks = 300, MostRooms = 20, MostMessages = 10;

    public async Task<Digest> Build(Storage.Push.Pusher pusher, IReadOnlyList<Due> items, CancellationToken ct)
    {
        var unread = (await notifications.List(pusher.UserId, long.MaxValue, MostMarks, ct)).Where(e => !e.IsRead).Select(e => e.Position).ToHashSet();
        var before = (await mailed.ListRooms(pusher.PusherId, pusher.UserId, ct)).ToDictionary(room => room.RoomNid);
        var (rooms, models, kept) = (new List<(long, long, int)>(), new List<Dictionary<string, object?>>(), new List<Due>());
        foreach (var room in (await Judge(pusher, items, unread, ct)).GroupBy(message => message.Due.RoomNid))
        {
            var (last, messages) = (before.GetValueOrDefault(room.Key), room.ToList());
            if (MayBeMailedAt(last) > time.GetUtcNow())
            {
                kept.AddRange(messages.Select(message => message.Due));
                continue;
            }
            rooms.Add((room.Key, messages[^1].Due.Position, last is { WasRead: false } ? last.Mails + 1 : 1));
            if (models.Count < MostRooms)
                models.Add(await Model(pusher, messages, ct));
        }
        return new Digest(models.Count == 0 ? null : Write(pusher, models, rooms), rooms, kept);
    }

    DateTimeOffset MayBeMailedAt(MailedRoom? last) => last is null or { WasRead: true } ? DateTimeOffset.MinValue
        : last.MailedAt + (last.Mails == 1 ? options.NotifRoomPause : options.NotifRoomLongestPause);

    /// <summary>Those that are not read and that the rules want; an invite is unread as long as it was not answered.</summary>
    async Task<List<(Due Due, PushedEvent Event)>> Judge(Storage.Push.Pusher pusher, IReadOnlyList<Due> items, HashSet<long> unread, CancellationToken ct)
    {
        var wanted = new List<(Due, PushedEvent)>();
        foreach (var due in items)
        {
            if (await events.Find(due.EventNid, ct) is not { } e || !(unread.Contains(due.Position) || await IsOpenInvite(e, pusher, ct)))
                continue;
            var members = (await labels.Get(due.RoomNid, ct)).JoinedCount;
            if (await judge.Judge(e.Pdu, e.StateBefore, e.Levels, members, pusher.UserId, ct) is not null)
                wanted.Add((due, e));
        }
        return wanted;
    }

    async ValueTask<bool> IsOpenInvite(PushedEvent e, Storage.Push.Pusher pusher, CancellationToken ct) =>
        e.Pdu.Membership == "invite" && (await memberships.Find(e.Room.RoomNid, UserId.Parse(pusher.UserId), ct))?.EventNid == e.EventNid;

    async Task<Dictionary<string, object?>> Model(Storage.Push.Pusher pusher, List<(Due Due, PushedEvent Event)> messages, CancellationToken ct)
    {
        var room = messages[0].Event.Room;
        var label = await labels.Get(room.RoomNid, ct);
        var name = label.NameFor(pusher.UserId) ?? room.RoomId.ToString();
        var shown = messages.TakeLast(MostMessages).ToList();
        var lines = new List<Dictionary<string, object?>>();
        if (await FindContext(pusher, shown[0].Due, ct) is { } context)
            lines.Add(await Line(context.Pdu, context.Root, isContext: true, ct));
        foreach (var (_, e) in shown)
            lines.Add(await Line(e.Pdu, e.StateBefore, isContext: false, ct));
        return new Dictionary<string, object?>
        {
            ["room_name"] = name,
            ["room_link"] = links.Room(room.RoomId.ToString()),
            ["room_avatar"] = links.Picture((await summaries.Find(room.RoomNid, ct))?.AvatarUrl),
            ["room_initial"] = MailText.Initial(name),
            ["room_color"] = MailText.Color(room.RoomId.ToString()),
            ["messages"] = lines,
            ["more"] = messages.Count > shown.Count ? (messages.Count - shown.Count).ToString(CultureInfo.InvariantCulture) : null,
        };
    }

    /// <summary>What was said just before, if the user was there.</summary>
    async Task<(Pdu Pdu, StateNodeId Root)?> FindContext(Storage.Push.Pusher pusher, Due first, CancellationToken ct)
    {
        var earlier = await stored.List(first.RoomNid, first.Position - 1, 0, 5, TimelineDirection.Backwards, ct);
        var said = earlier.FirstOrDefault(e => e is { Type: EventTypes.Message or EventTypes.Encrypted, SoftFailed: false, Rejected: null });
        if (said is not { RedactedBy: null, StateBefore: { } root } || (await stateEvents.Find(root, EventTypes.Member, pusher.UserId, ct))?.Membership != "join")
            return null;
        return (Pdu.FromStored(said.EventId, said.Json, said.Rules), root);
    }

    async Task<Dictionary<string, object?>> Line(Pdu pdu, StateNodeId? root, bool isContext, CancellationToken ct)
    {
        var sender = pdu.Sender.ToString();
        var member = root is { } state ? await stateEvents.Find(state, EventTypes.Member, sender, ct) : null;
        var name = member?.ContentString("displayname"u8) is { Length: > 0 } shown ? shown : sender;
        return new Dictionary<string, object?>
        {
            ["sender_name"] = name,
            ["sender_avatar"] = links.Picture(member?.ContentString("avatar_url"u8)),
            ["sender_initial"] = MailText.Initial(name),
            ["sender_color"] = MailText.Color(sender),
            ["body"] = MailText.Body(pdu),
            ["is_context"] = isContext,
        };
    }

    OutgoingMail Write(Storage.Push.Pusher pusher, List<Dictionary<string, object?>> models, List<(long RoomNid, long Position, int)> rooms)
    {
        var subject = models.Count == 1 ? $"Unread messages in {models[0]["room_name"]}"
            : $"Unread messages in {models[0]["room_name"]} and {(models.Count == 2 ? "another room" : $"{models.Count - 1} other rooms")}";
        var unsubscribe = links.Unsubscribe(pusher.Secret!);
        var (html, text) = templates.Render("notification", new Dictionary<string, object?>
        {
            ["subject"] = subject,
            ["lang"] = pusher.Lang,
            ["app_name"] = options.AppName,
            ["user_name"] = UserId.Parse(pusher.UserId).Localpart,
            ["rooms"] = models,
            ["unsubscribe_link"] = unsubscribe,
        });
        return new OutgoingMail(pusher.Pushkey, subject, html, text, MessageId(pusher.PusherId, rooms.Select(room => room.Position)), unsubscribe);
    }

    /// <summary>Asks an address whether it wants mail.</summary>
    public OutgoingMail Confirmation(Storage.Push.Pusher pusher)
    {
        var subject = $"Mail from {options.AppName}?";
        var (html, text) = templates.Render("confirmation", new Dictionary<string, object?>
        {
            ["subject"] = subject,
            ["lang"] = pusher.Lang,
            ["app_name"] = options.AppName,
            ["user_id"] = pusher.UserId,
            ["confirm_link"] = links.Confirm(pusher.Secret!),
        });
        return new OutgoingMail(pusher.Pushkey, subject, html, text, MessageId(pusher.PusherId, []), null);
    }

    string MessageId(long pusherId, IEnumerable<long> positions)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(string.Join(' ', positions.Order().Prepend(pusherId).Select(n => n.ToString(CultureInfo.InvariantCulture)))));
        return $"{Convert.ToHexStringLower(hash.AsSpan(0, 16))}@{homeserver.ServerName.Split(':')[0]}";
    }
}
