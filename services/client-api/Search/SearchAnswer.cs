using System.Buffers;
using System.Text.Json;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.Storage.Search;

namespace Matrix.ClientApi.Search;

/// <summary>What an answer to a search holds beside its results.</summary>
/// <param name="Profiles">The membership events of those who sent what is shown, by result; empty if they were not asked for.</param>
/// <param name="States">The rooms' states, if they were asked for.</param>
sealed record SearchExtras(
    IReadOnlyList<IReadOnlyList<EncodedEvent>> Profiles, IReadOnlyDictionary<string, IReadOnlyList<EncodedEvent>>? States);

/// <summary>Writes an answer to a search.</summary>
sealed class SearchAnswer(RoomEventsCriteria criteria, SearchResults results, SearchExtras extras, EventBatch batch, EventAudience audience)
{
    readonly ArrayBufferWriter<byte> output = new(4096);

    JsonSplicer To => new(output);

    public ReadOnlyMemory<byte> Write()
    {
        To.Raw("{\"search_categories\":{\"room_events\":{\"count\":"u8);
        To.Number(results.Count);
        To.Raw(",\"highlights\":"u8);
        To.Raw(JsonSerializer.SerializeToUtf8Bytes(SearchWords.Highlights(criteria.SearchTerm)));
        To.Raw(",\"results\":["u8);
        var first = true;
        foreach (var (i, result) in results.Found.Index())
        {
            To.Comma(ref first);
            Result(result, i);
        }
        To.Raw("]"u8);
        foreach (var key in (criteria.Groupings?.GroupBy ?? []).Select(group => group.Key).Where(key => key is "room_id" or "sender").Distinct().Take(2).Index())
            Groups(key.Item!, key.Index == 0);
        if (criteria.Groupings?.GroupBy?.Any(group => group.Key is "room_id" or "sender") == true)
            To.Raw("}"u8);
        if (extras.States is { } states)
            State(states);
        if (results.Next is { } next)
        {
            To.Raw(",\"next_batch\":"u8);
            To.String(next.Format());
        }
        To.Raw("}}}"u8);
        return output.WrittenMemory;
    }

    void Result(SearchResult result, int index)
    {
        To.Raw("{\"rank\":"u8);
        To.Raw(JsonSerializer.SerializeToUtf8Bytes(result.Rank));
        To.Raw(",\"result\":"u8);
        EventWriter.Write(To, result.Event, batch, audience);
        if (criteria.EventContext is { } context)
        {
            To.Raw(",\"context\":{\"start\":"u8);
            To.String(HistoryQuery.Format((result.Before.Count > 0 ? result.Before[^1] : result.Event).Position!.Value - 1));
            To.Raw(",\"end\":"u8);
            To.String(HistoryQuery.Format((result.After.Count > 0 ? result.After[^1] : result.Event).Position!.Value));
            Events(",\"events_before\":"u8, result.Before);
            Events(",\"events_after\":"u8, result.After);
            if (context.IncludeProfile)
                Profiles(extras.Profiles[index]);
            To.Raw("}"u8);
        }
        To.Raw("}"u8);
    }

    void Events(ReadOnlySpan<byte> name, IEnumerable<EncodedEvent> events)
    {
        To.Raw(name);
        To.Raw("["u8);
        var first = true;
        foreach (var e in events)
        {
            To.Comma(ref first);
            EventWriter.Write(To, e, batch, audience);
        }
        To.Raw("]"u8);
    }

    void Profiles(IReadOnlyList<EncodedEvent> members)
    {
        To.Raw(",\"profile_info\":{"u8);
        var first = true;
        foreach (var member in members)
        {
            var content = JsonElement.Parse(member.Content.Span);
            To.Comma(ref first);
            To.String(member.StateKey!);
            To.Raw(":{"u8);
            var firstField = true;
            foreach (var field in new[] { "displayname", "avatar_url" })
            {
                if (!content.TryGetProperty(field, out var value) || value.ValueKind != JsonValueKind.String)
                    continue;
                To.Comma(ref firstField);
                To.String(field);
                To.Raw(":"u8);
                To.String(value.GetString()!);
            }
            To.Raw("}"u8);
        }
        To.Raw("}"u8);
    }

    void Groups(string key, bool firstKey)
    {
        To.Raw(firstKey ? ",\"groups\":{"u8 : ","u8);
        To.String(key);
        To.Raw(":{"u8);
        var first = true;
        foreach (var (order, group) in results.Found.GroupBy(result => key == "sender" ? result.Event.Sender : result.Event.RoomId).Index())
        {
            To.Comma(ref first);
            To.String(group.Key);
            To.Raw(":{\"order\":"u8);
            To.Number(order + 1);
            To.Raw(",\"results\":"u8);
            To.Raw(JsonSerializer.SerializeToUtf8Bytes(group.Select(result => result.Event.EventId)));
            if (results.Next is { } next)
            {
                To.Raw(",\"next_batch\":"u8);
                To.String((key == "sender" ? next with { Offset = group.Count(), Sender = group.Key } : next with { Offset = group.Count(), Room = group.Key }).Format());
            }
            To.Raw("}"u8);
        }
        To.Raw("}"u8);
    }

    void State(IReadOnlyDictionary<string, IReadOnlyList<EncodedEvent>> states)
    {
        To.Raw(",\"state\":{"u8);
        var first = true;
        foreach (var (roomId, state) in states)
        {
            To.Comma(ref first);
            To.String(roomId);
            Events(":"u8, state);
        }
        To.Raw("}"u8);
    }
}
