namespace Matrix.Protocol;

/// <summary>Who made a room (spec, room versions 11 and 12).</summary>
public static class RoomCreators
{
    /// <summary>The creator: the sender of the create event since version 11, before that its <c>content.creator</c>. Null if that is no user id.</summary>
    public static UserId? Creator(Pdu create)
    {
        if (create.Rules.CreatorIsSender)
            return create.Sender;
        return UserId.TryParse(create.ContentString("creator"u8), out var creator) ? creator : null;
    }

    /// <summary>All creators; since version 12 the <c>additional_creators</c> too.</summary>
    public static IReadOnlyList<UserId> All(Pdu create)
    {
        var creators = new List<UserId>(1);
        if (Creator(create) is { } creator)
            creators.Add(creator);
        if (create.Rules.HasPrivilegedCreators)
            creators.AddRange(AdditionalCreators(create).Except(creators).Distinct());
        return creators;
    }

    /// <summary>Is this user one of the creators?</summary>
    public static bool IsCreator(Pdu create, UserId user) =>
        Creator(create) == user || (create.Rules.HasPrivilegedCreators && AdditionalCreators(create).Contains(user));

    static List<UserId> AdditionalCreators(Pdu create)
    {
        var creators = new List<UserId>();
        var value = JsonObjectReader.Find(create.ContentJson.Span, "additional_creators"u8);
        if (value.IsEmpty || value[0] != '[')
            return creators;
        var reader = new JsonArrayReader(value);
        while (reader.MoveNext())
            if (UserId.TryParse(JsonText.ReadString(reader.Value), out var user))
                creators.Add(user);
        return creators;
    }
}
