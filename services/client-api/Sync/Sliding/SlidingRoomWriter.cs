using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Writes what an answer tells of a room, in the words of the proposal or in those that clients use today.</summary>
readonly struct SlidingRoomWriter(JsonSplicer to, SlidingRequest request, SlidingResult result, EventAudience audience)
{
    public void Write(SlidingRoom room)
    {
        var plan = room.Plan;
        to.Raw("{\"membership\":"u8);
        to.String(plan.Entry.Membership);
        if (plan.Lists.Count > 0)
        {
            to.Raw(",\"lists\":["u8);
            var first = true;
            foreach (var list in plan.Lists)
            {
                to.Comma(ref first);
                to.String(list);
            }
            to.Raw("]"u8);
        }
        if (room.Bump is { } bump)
        {
            to.Raw(",\"bump_stamp\":"u8);
            to.Number(bump);
        }
        if (plan.Initial)
            to.Raw(",\"initial\":true"u8);
        if (plan.View == RoomView.Stripped)
            Stripped(room);
        else
            Full(room);
        to.Raw("}"u8);
    }

    void Stripped(SlidingRoom room)
    {
        to.Raw(request.Stable ? ",\"stripped_state\":["u8 : ",\"invite_state\":["u8);
        var first = true;
        foreach (var e in room.Stripped)
        {
            to.Comma(ref first);
            EventWriter.WriteStripped(to, e);
        }
        to.Raw("]"u8);
    }

    void Full(SlidingRoom room)
    {
        if (room.HasName)
            Text(",\"name\":"u8, room.Name, room.Plan.Initial);
        if (room.HasAvatar)
            Text(",\"avatar\":"u8, room.Avatar, room.Plan.Initial);
        if (room.Plan.IsDirect ? room.Plan.Initial || room.Plan.ChangesDirect : room.Plan.ChangesDirect)
        {
            to.Raw(",\"is_dm\":"u8);
            to.Boolean(room.Plan.IsDirect);
        }
        if (room.Heroes is { Count: > 0 } heroes)
            Heroes(heroes);
        State(room);
        if (room.Timeline.Events.Count > 0 || room.Timeline.Limited)
            Timeline(room);
        if (room.Counts is { } counts)
        {
            to.Raw(",\"joined_count\":"u8);
            to.Number(counts.JoinedCount);
            to.Raw(",\"invited_count\":"u8);
            to.Number(counts.InvitedCount);
        }
        if (room.Unread is { } unread)
        {
            to.Raw(",\"notification_count\":"u8);
            to.Number(unread.Notifications);
            to.Raw(",\"highlight_count\":"u8);
            to.Number(unread.Highlights);
        }
    }

    // A room that is told whole has no name when none is told; a name that was taken away is null.
    void Text(ReadOnlySpan<byte> name, string? text, bool initial)
    {
        if (text is null && initial)
            return;
        to.Raw(name);
        if (text is null)
            to.Raw("null"u8);
        else
            to.String(text);
    }

    void Heroes(IReadOnlyList<SlidingHero> heroes)
    {
        to.Raw(",\"heroes\":["u8);
        var first = true;
        foreach (var hero in heroes)
        {
            to.Comma(ref first);
            to.Raw("{\"user_id\":"u8);
            to.String(hero.UserId);
            if (hero.Member is { } member)
            {
                Text(",\"displayname\":"u8, SlidingRooms.Text(member, "displayname"u8), true);
                Text(",\"avatar_url\":"u8, SlidingRooms.Text(member, "avatar_url"u8), true);
            }
            to.Raw("}"u8);
        }
        to.Raw("]"u8);
    }

    void State(SlidingRoom room)
    {
        if (room.State.Count == 0 && (room.Removed.Count == 0 || !request.Stable))
            return;
        to.Raw(",\"required_state\":["u8);
        var first = true;
        foreach (var e in room.State)
        {
            to.Comma(ref first);
            EventWriter.Write(to, e, result.Events, audience);
        }
        if (request.Stable)
            Removed(room.Removed, ref first);
        to.Raw("]"u8);
    }

    void Removed(List<StateKeyPair> removed, ref bool first)
    {
        foreach (var (type, stateKey) in removed)
        {
            to.Comma(ref first);
            to.Raw("{\"type\":"u8);
            to.String(type);
            to.Raw(",\"state_key\":"u8);
            to.String(stateKey);
            to.Raw("}"u8);
        }
    }

    void Timeline(SlidingRoom room)
    {
        if (room.Expanded)
            to.Raw(request.Stable ? ",\"expanded_timeline\":true"u8 : ",\"unstable_expanded_timeline\":true"u8);
        to.Raw(",\"timeline\":["u8);
        var first = true;
        foreach (var e in room.Timeline.Events)
        {
            to.Comma(ref first);
            EventWriter.Write(to, e, result.Events, audience);
        }
        to.Raw("],\"limited\":"u8);
        to.Boolean(room.Timeline.Limited);
        to.Raw(",\"prev_batch\":"u8);
        to.String(room.Timeline.StartsAfter.ToString());
        to.Raw(",\"num_live\":"u8);
        to.Number(room.Live);
    }
}
