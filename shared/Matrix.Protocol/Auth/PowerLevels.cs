namespace Matrix.Protocol;

/// <summary>
/// Who may do what in a room: its <c>m.room.power_levels</c> with all defaults, and its creators (C-S API, m.room.power_levels).
/// </summary>
public sealed class PowerLevels
{
    /// <summary>The power of a version 12 creator: above every level that an event can name.</summary>
    public const long Infinite = long.MaxValue;

    readonly PowerLevelContent? _content;
    readonly UserId? _creator;
    readonly Pdu? _create;

    PowerLevels(PowerLevelContent? content, Pdu? create)
    {
        _content = content;
        _create = create;
        _creator = create is null ? null : RoomCreators.Creator(create);
    }

    /// <summary>The levels in a room with these two state events; both may be missing.</summary>
    public static PowerLevels Read(Pdu? powerLevels, Pdu? create) => new(powerLevels?.PowerLevelContent, create);

    /// <summary>The level that <c>users</c> falls back to.</summary>
    public long UsersDefault => _content?.Level("users_default") ?? 0;

    /// <summary>The level for events that are not state and are not listed.</summary>
    public long EventsDefault => _content?.Level("events_default") ?? 0;

    /// <summary>The level for state events that are not listed; 50, but 0 in a room without power levels.</summary>
    public long StateDefault => _content is null ? 0 : _content.Level("state_default") ?? 50;

    /// <summary>The level needed to ban; 50 if not set.</summary>
    public long Ban => _content?.Level("ban") ?? 50;

    /// <summary>The level needed to remove somebody; 50 if not set.</summary>
    public long Kick => _content?.Level("kick") ?? 50;

    /// <summary>The level needed to redact the events of others; 50 if not set.</summary>
    public long Redact => _content?.Level("redact") ?? 50;

    /// <summary>The level needed to invite; 0 if not set.</summary>
    public long Invite => _content?.Level("invite") ?? 0;

    /// <summary>A user's level; <see cref="Infinite"/> for the creators of a version 12 room.</summary>
    public long For(UserId user)
    {
        if (_create is not null && _create.Rules.HasPrivilegedCreators && RoomCreators.IsCreator(_create, user))
            return Infinite;
        if (_content is null)
            return user == _creator ? 100 : 0;
        return _content.Users.TryGetValue(user.ToString(), out var level) ? level : UsersDefault;
    }

    /// <summary>The level of whoever a state key names; that need not be a user id.</summary>
    internal long For(string user) =>
        UserId.TryParse(user, out var id) ? For(id)
        : _content is not null && _content.Users.TryGetValue(user, out var level) ? level : UsersDefault;

    /// <summary>The users who have a level of their own: those that the event names, and the creator or creators where they have one without it.</summary>
    /// <remarks>A room has few of them, however many members it has; all others have <see cref="UsersDefault"/>.</remarks>
    public IReadOnlyCollection<UserId> Named
    {
        get
        {
            var named = new HashSet<UserId>();
            if (_create is not null && (_content is null || _create.Rules.HasPrivilegedCreators))
                named.UnionWith(RoomCreators.All(_create));
            foreach (var name in _content?.Users.Keys ?? [])
                if (UserId.TryParse(name, out var user))
                    named.Add(user);
            return named;
        }
    }

    /// <summary>The level needed to send this type of event.</summary>
    public long Required(string type, bool isState) =>
        _content is not null && _content.Events.TryGetValue(type, out var level) ? level : isState ? StateDefault : EventsDefault;

    /// <summary>The level needed to notify by this key, such as <c>room</c>; 50 if not set.</summary>
    public long Notification(string key) =>
        _content is not null && _content.Notifications.TryGetValue(key, out var level) ? level : 50;

    /// <summary>May this user send this type of event, as far as levels go?</summary>
    public bool CanSend(UserId user, string type, bool isState) => For(user) >= Required(type, isState);
}
