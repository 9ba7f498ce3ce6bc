using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Protocol;
using Matrix.Rooms.Membership;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Creation;

/// <summary>The events of a new room, in the order that the spec gives them.</summary>
sealed class CreationDrafts(RoomCreation creation, RoomVersionRules rules, RoomAlias? alias, IReadOnlyDictionary<string, MemberProfile> profiles)
{
    readonly UserId creator = creation.Creator;
    readonly RoomPreset preset = creation.Preset ?? (creation.Published ? RoomPreset.PublicChat : RoomPreset.PrivateChat);

    public IEnumerable<EventDraft> All() =>
    [
        State(EventTypes.Create, CreateContent()),
        MemberContent.Draft(creator, creator, MemberContent.Create("join", profiles.GetValueOrDefault(creator.ToString()))),
        GivenPowerLevels() ?? State(EventTypes.PowerLevels, PowerLevels()),
        .. alias is { } a ? [State(EventTypes.CanonicalAlias, new JsonObject { ["alias"] = a.ToString() })] : Array.Empty<EventDraft>(),
        .. PresetState().Where(draft => !IsGiven(draft.Type)),
        .. creation.InitialState.Where(s => !IsReplaced(s)).Select(Given),
        .. NameAndTopic(),
        .. creation.Invite.Distinct().Select(Invite),
    ];

    JsonObject CreateContent()
    {
        var content = creation.CreationContent?.DeepClone().AsObject() ?? [];
        content["room_version"] = rules.Id;
        if (rules.CreatorIsSender)
            content.Remove("creator");
        else
            content["creator"] = creator.ToString();
        if (rules.HasPrivilegedCreators && preset == RoomPreset.TrustedPrivateChat)
            content["additional_creators"] = AdditionalCreators(content["additional_creators"]);
        return content;
    }

    JsonArray AdditionalCreators(JsonNode? asked)
    {
        var all = new JsonArray();
        if (asked is JsonArray given)
        {
            foreach (var one in given)
                all.Add(one?.DeepClone());
        }
        else if (asked is not null)
        {
            throw RoomException.Invalid("additional_creators must be a list of user ids.");
        }
        var known = all.OfType<JsonValue>().Select(one => one.ToString()).Append(creator.ToString()).ToHashSet();
        foreach (var invited in creation.Invite.Where(user => known.Add(user.ToString())))
            all.Add(invited.ToString());
        return all;
    }

    JsonObject PowerLevels()
    {
        var users = new JsonObject();
        if (!rules.HasPrivilegedCreators)
        {
            users[creator.ToString()] = 100;
            foreach (var invited in preset == RoomPreset.TrustedPrivateChat ? creation.Invite : [])
                users[invited.ToString()] = 100;
        }
        var levels = new JsonObject
        {
            ["users"] = users,
            ["users_default"] = 0,
            ["events"] = new JsonObject
            {
                [EventTypes.Name] = 50,
                [EventTypes.Avatar] = 50,
                [EventTypes.CanonicalAlias] = 50,
                [EventTypes.PowerLevels] = 100,
                [EventTypes.HistoryVisibility] = 100,
                [EventTypes.Encryption] = 100,
                [EventTypes.ServerAcl] = 100,
                // above what anybody but a creator has: an upgrade ends the room (spec, room version 12)
                [EventTypes.Tombstone] = rules.HasPrivilegedCreators ? 150 : 100,
            },
            ["events_default"] = 0,
            ["state_default"] = 50,
            ["ban"] = 50,
            ["kick"] = 50,
            ["redact"] = 50,
            ["invite"] = preset == RoomPreset.PublicChat ? 50 : 0,
        };
        foreach (var (name, value) in creation.PowerLevelOverride ?? [])
            levels[name] = value?.DeepClone();
        return levels;
    }

    IEnumerable<EventDraft> PresetState()
    {
        var isPublic = preset == RoomPreset.PublicChat;
        yield return State(EventTypes.JoinRules, new JsonObject { ["join_rule"] = isPublic ? "public" : "invite" });
        yield return State(EventTypes.HistoryVisibility, new JsonObject { ["history_visibility"] = "shared" });
        yield return State(EventTypes.GuestAccess, new JsonObject { ["guest_access"] = isPublic ? "forbidden" : "can_join" });
    }

    IEnumerable<EventDraft> NameAndTopic()
    {
        if (creation.Name is { } name)
            yield return State(EventTypes.Name, new JsonObject { ["name"] = name });
        if (creation.Topic is { } topic)
        {
            var text = new JsonArray(new JsonObject { ["body"] = topic });
            yield return State(EventTypes.Topic, new JsonObject { ["topic"] = topic, ["m.topic"] = new JsonObject { ["m.text"] = text } });
        }
    }

    EventDraft Invite(UserId invited)
    {
        var content = MemberContent.Create("invite", profiles.GetValueOrDefault(invited.ToString()));
        if (creation.IsDirect)
            content["is_direct"] = true;
        return MemberContent.Draft(creator, invited, content);
    }

    bool IsGiven(string type) => creation.InitialState.Any(s => s.Type == type && s.StateKey.Length == 0);

    bool IsReplaced(InitialState state) => state.StateKey.Length == 0 && (state.Type == EventTypes.PowerLevels
        || state.Type == EventTypes.Name && creation.Name is not null || state.Type == EventTypes.Topic && creation.Topic is not null);

    EventDraft? GivenPowerLevels() =>
        creation.InitialState.LastOrDefault(s => s.Type == EventTypes.PowerLevels && s.StateKey.Length == 0) is { } given ? Given(given) : null;

    EventDraft Given(InitialState state) =>
        EventDraft.State(creator, state.Type, state.StateKey, JsonSerializer.SerializeToUtf8Bytes(state.Content));

    EventDraft State(string type, JsonObject content) => EventDraft.State(creator, type, "", (object)content);
}
