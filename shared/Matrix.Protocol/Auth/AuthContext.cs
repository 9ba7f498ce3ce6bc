namespace Matrix.Protocol;

/// <summary>One event under check, with what the rules ask again and again.</summary>
sealed class AuthContext(Pdu pdu, IAuthState state, RoomVersionRules rules, Pdu create)
{
    PowerLevels? _levels;
    long? _senderLevel;

    public Pdu Pdu => pdu;

    public RoomVersionRules Rules => rules;

    public Pdu Create => create;

    /// <summary>The power levels in force, if the room has any.</summary>
    public Pdu? PowerLevelEvent => state.Find(EventTypes.PowerLevels, "");

    public PowerLevels Levels => _levels ??= PowerLevels.Read(PowerLevelEvent, create);

    public long SenderLevel => _senderLevel ??= Levels.For(pdu.Sender);

    /// <summary>The join rule in force; rooms without one are for the invited.</summary>
    public string JoinRule => state.Find(EventTypes.JoinRules, "")?.ContentString("join_rule"u8) ?? "invite";

    /// <summary>A user's membership before this event; "leave" for one who never had any.</summary>
    public string Membership(string user) => state.Find(EventTypes.Member, user)?.Membership ?? "leave";

    public Pdu? Find(string type, string stateKey) => state.Find(type, stateKey);
}
