namespace Matrix.Protocol;

/// <summary>The auth rules of <c>m.room.power_levels</c>.</summary>
static class PowerLevelAuth
{
    public static AuthResult Check(AuthContext context)
    {
        var next = context.Pdu.PowerLevelContent;
        if (next.HasBadLevel)
            return AuthResult.Refuse(AuthRules.PowerLevelsLevels, "A level is not a number.");
        if (next.HasBadEvents || (next.HasBadNotifications && context.Rules.ChecksNotificationLevels))
            return AuthResult.Refuse(AuthRules.PowerLevelsEvents, "events or notifications is not an object of numbers.");
        if (next.HasBadUsers)
            return AuthResult.Refuse(AuthRules.PowerLevelsUsers, "users is not an object of user ids and numbers.");
        if (context.Rules.HasPrivilegedCreators && RoomCreators.All(context.Create).Any(creator => next.Users.ContainsKey(creator.ToString())))
            return AuthResult.Refuse(AuthRules.PowerLevelsCreators, "users names a creator of the room.");
        if (context.PowerLevelEvent is not { } previous)
            return AuthResult.Allow;
        return Compare(context, previous.PowerLevelContent, next);
    }

    static AuthResult Compare(AuthContext context, PowerLevelContent old, PowerLevelContent next)
    {
        var own = context.SenderLevel;
        foreach (var name in PowerLevelContent.Names)
            if (old.Level(name) is var before && next.Level(name) is var after && before != after && (before > own || after > own))
                return AuthResult.Refuse(AuthRules.PowerLevelsChange, $"The sender's level is below that of '{name}'.");
        if (!MayChange(old.Events, next.Events, own)
            || (context.Rules.ChecksNotificationLevels && !MayChange(old.Notifications, next.Notifications, own)))
            return AuthResult.Refuse(AuthRules.PowerLevelsChangeEvents, "The sender's level is below that of a changed entry.");
        return CompareUsers(context, old.Users, next.Users);
    }

    static AuthResult CompareUsers(AuthContext context, IReadOnlyDictionary<string, long> old, IReadOnlyDictionary<string, long> next)
    {
        var (own, sender) = (context.SenderLevel, context.Pdu.Sender.ToString());
        foreach (var (user, before) in old)
            if (user != sender && before >= own && (!next.TryGetValue(user, out var after) || after != before))
                return AuthResult.Refuse(AuthRules.PowerLevelsChangeUser, "The sender's level is not above that of a changed user.");
        foreach (var (user, after) in next)
            if (after > own && (!old.TryGetValue(user, out var before) || after != before))
                return AuthResult.Refuse(AuthRules.PowerLevelsRaiseUser, "The sender cannot give more power than it has.");
        return AuthResult.Allow;
    }

    static bool MayChange(IReadOnlyDictionary<string, long> old, IReadOnlyDictionary<string, long> next, long own)
    {
        foreach (var (key, before) in old)
            if (before > own && (!next.TryGetValue(key, out var after) || after != before))
                return false;
        foreach (var (key, after) in next)
            if (after > own && (!old.TryGetValue(key, out var before) || after != before))
                return false;
        return true;
    }
}
