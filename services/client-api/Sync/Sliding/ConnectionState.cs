using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Matrix.Replication;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What a client has of a room.</summary>
/// <param name="BehindAt">Null: everything up to the connection's position. Else everything up to here, and news since then was kept from it.</param>
/// <param name="TimelineLimit">So many of the newest events it has without a gap, unless the room has fewer.</param>
/// <param name="State">The state that it has and follows.</param>
/// <param name="IsDirect">It was told that this is a direct chat.</param>
sealed record SentRoom(long? BehindAt, int TimelineLimit, RequiredState State, bool IsDirect);

/// <summary>
/// What was sent on a connection, room by room; rooms that were never sent are absent. Immutable: a request that is repeated finds what was there
/// when its pos was given out. Stored as a few bytes a room (<see cref="Write"/>).
/// </summary>
sealed class ConnectionState(ImmutableDictionary<long, SentRoom> rooms)
{
    public static readonly ConnectionState Empty = new(ImmutableDictionary<long, SentRoom>.Empty);

    const byte Format = 1;

    public ImmutableDictionary<long, SentRoom> Rooms { get; } = rooms;

    /// <summary>Bytes of memory, roughly.</summary>
    public long Weight => 200 + (Rooms.Count * 120L);

    public static ConnectionState Read(ReadOnlySpan<byte> stored)
    {
        var reader = new Reader(stored);
        if (reader.Byte() != Format)
            throw new InvalidDataException("A sliding sync connection is stored in an unknown form.");
        var states = new RequiredState[reader.Number()];
        for (var i = 0; i < states.Length; i++)
            states[i] = RequiredState.Parse(reader.Text());
        var rooms = ImmutableDictionary.CreateBuilder<long, SentRoom>();
        long nid = 0;
        for (var left = reader.Number(); left > 0; left--)
        {
            nid += reader.Number();
            var flags = reader.Number();
            rooms.Add(nid, new SentRoom((flags & 1) != 0 ? reader.Number() : null, (int)reader.Number(), states[reader.Number()], (flags & 2) != 0));
        }
        return new ConnectionState(rooms.ToImmutable());
    }

    /// <summary>The texts of required_state once each, then the rooms in the order of their numbers, all numbers as varints.</summary>
    public byte[] Write()
    {
        var output = new ArrayBufferWriter<byte>(64 + (Rooms.Count * 8));
        var states = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var room in Rooms.Values)
            states.TryAdd(room.State.Text, states.Count);
        output.Write([Format]);
        Number(output, states.Count);
        foreach (var text in states.Keys)
        {
            Number(output, Encoding.UTF8.GetByteCount(text));
            Encoding.UTF8.GetBytes(text, output);
        }
        Number(output, Rooms.Count);
        long last = 0;
        foreach (var (nid, room) in Rooms.OrderBy(room => room.Key))
        {
            Number(output, nid - last);
            Number(output, (room.BehindAt is null ? 0 : 1) | (room.IsDirect ? 2 : 0));
            if (room.BehindAt is { } behind)
                Number(output, behind);
            Number(output, room.TimelineLimit);
            Number(output, states[room.State.Text]);
            last = nid;
        }
        return output.WrittenSpan.ToArray();
    }

    static void Number(ArrayBufferWriter<byte> output, long value)
    {
        var span = output.GetSpan(10);
        var written = 0;
        for (var rest = (ulong)value; ; rest >>= 7)
        {
            span[written++] = (byte)(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
            if (rest < 0x80)
                break;
        }
        output.Advance(written);
    }

    ref struct Reader(ReadOnlySpan<byte> rest)
    {
        ReadOnlySpan<byte> rest = rest;

        public byte Byte()
        {
            var value = rest[0];
            rest = rest[1..];
            return value;
        }

        public long Number()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = Byte();
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return (long)value;
            }
        }

        public string Text()
        {
            var length = (int)Number();
            var text = Encoding.UTF8.GetString(rest[..length]);
            rest = rest[length..];
            return text;
        }
    }
}

/// <summary>
/// That nothing was left to send when a request was answered. As long as the same is asked for and the user's list only changed by what
/// happened in its rooms, those rooms are all that has to be looked at.
/// </summary>
sealed record Settled(SlidingShape Shape, RoomList List, long ListVersion, LogPosition Position, IReadOnlyDictionary<string, int> Counts);
