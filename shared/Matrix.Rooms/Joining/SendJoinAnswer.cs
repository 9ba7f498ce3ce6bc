using System.Text.Json;

namespace Matrix.Rooms.Joining;

/// <summary>Which list of the answer to send_join an event is in.</summary>
enum SendJoinPart
{
    State,
    AuthChain,
    Join,
}

/// <summary>
/// Reads the answer to send_join, or to a request for a state, as it comes: of a big room it is a hundred megabytes, of which only one event is held at a time. The first version of the
/// endpoint answers with an array whose second member it is.
/// </summary>
sealed class SendJoinAnswer(Stream stream)
{
    const int MaxElement = 4 << 20;
    const int MaxServers = 10_000;

    byte[] buffer = new byte[64 << 10];
    int begin;
    int end;
    bool isFinal;
    JsonReaderState json = new(new JsonReaderOptions { MaxDepth = 200 });
    SendJoinPart? part;

    /// <summary>Null: as long as the whole request may take.</summary>
    public TimeSpan? LongestSilence { get; init; }

    public bool MembersOmitted { get; private set; }

    public IReadOnlyList<string> ServersInRoom { get; private set; } = [];

    /// <summary>The events one after the other, each a copy.</summary>
    /// <exception cref="JsonException">It is no answer to send_join.</exception>
    public async IAsyncEnumerable<(SendJoinPart Part, ReadOnlyMemory<byte> Event)> Events([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            switch (Step(out var found))
            {
                case Progress.Event:
                    yield return found;
                    break;
                case Progress.End:
                    yield break;
                case Progress.NeedsMore:
                    await Fill(ct);
                    break;
            }
        }
    }

    enum Progress
    {
        Event,
        Passed,
        NeedsMore,
        End,
    }

    /// <summary>Goes on by an event, a member, or not at all.</summary>
    Progress Step(out (SendJoinPart, ReadOnlyMemory<byte>) found)
    {
        found = default;
        var reader = new Utf8JsonReader(buffer.AsSpan(begin, end - begin), isFinal, json);
        if (!reader.Read())
            return isFinal ? Progress.End : Progress.NeedsMore;
        if (part is { } inside)
            return InList(ref reader, inside, out found);
        if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject or JsonTokenType.Number)
            return reader.CurrentDepth <= 1 ? Pass(ref reader) : throw new JsonException("Unexpected value in the answer to send_join.");
        if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
            return Pass(ref reader);
        if (reader.TokenType != JsonTokenType.PropertyName)
            throw new JsonException("The answer to send_join is no object.");
        return Member(ref reader, out found);
    }

    Progress Member(ref Utf8JsonReader reader, out (SendJoinPart, ReadOnlyMemory<byte>) found)
    {
        found = default;
        SendJoinPart? list = reader.ValueTextEquals("state"u8) || reader.ValueTextEquals("pdus"u8) ? SendJoinPart.State : reader.ValueTextEquals("auth_chain"u8) ? SendJoinPart.AuthChain : null;
        var (isJoin, isOmitted, isServers) = (reader.ValueTextEquals("event"u8),
            reader.ValueTextEquals("members_omitted"u8) || reader.ValueTextEquals("org.matrix.msc3706.partial_state"u8), reader.ValueTextEquals("servers_in_room"u8));
        if (!reader.Read())
            return Progress.NeedsMore;
        if (list is not null && reader.TokenType == JsonTokenType.StartArray)
        {
            part = list;
            return Pass(ref reader);
        }
        var start = (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
            return Progress.NeedsMore;
        var value = buffer.AsMemory(begin + start, (int)reader.BytesConsumed - start);
        if (isJoin && value.Span[0] == '{')
        {
            found = (SendJoinPart.Join, value.ToArray());
            Pass(ref reader);
            return Progress.Event;
        }
        MembersOmitted |= isOmitted && value.Span.SequenceEqual("true"u8);
        if (isServers && value.Span[0] == '[')
            ServersInRoom = [.. JsonElement.Parse(value.Span).EnumerateArray().Where(s => s.ValueKind == JsonValueKind.String).Select(s => s.GetString()!).Take(MaxServers)];
        return Pass(ref reader);
    }

    Progress InList(ref Utf8JsonReader reader, SendJoinPart inside, out (SendJoinPart, ReadOnlyMemory<byte>) found)
    {
        found = default;
        if (reader.TokenType == JsonTokenType.EndArray)
        {
            part = null;
            return Pass(ref reader);
        }
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An event is an object.");
        var start = (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
            return Progress.NeedsMore;
        found = (inside, buffer.AsSpan(begin + start, (int)reader.BytesConsumed - start).ToArray());
        Pass(ref reader);
        return Progress.Event;
    }

    Progress Pass(ref Utf8JsonReader reader)
    {
        json = reader.CurrentState;
        begin += (int)reader.BytesConsumed;
        return Progress.Passed;
    }

    /// <exception cref="TimeoutException">The other server has gone silent.</exception>
    async ValueTask<int> Read(CancellationToken ct)
    {
        if (LongestSilence is not { } longest)
            return await stream.ReadAsync(buffer.AsMemory(end), ct);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(longest);
        try
        {
            return await stream.ReadAsync(buffer.AsMemory(end), patience.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    async ValueTask Fill(CancellationToken ct)
    {
        if (begin > 0)
        {
            buffer.AsSpan(begin, end - begin).CopyTo(buffer);
            (begin, end) = (0, end - begin);
        }
        if (end == buffer.Length)
        {
            if (buffer.Length >= MaxElement)
                throw new JsonException("A member of the answer to send_join is too large.");
            Array.Resize(ref buffer, buffer.Length * 2);
        }
        var read = await Read(ct);
        isFinal = read == 0;
        end += read;
    }
}
