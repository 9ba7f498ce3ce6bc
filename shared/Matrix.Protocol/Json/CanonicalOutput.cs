using System.Buffers;

namespace Matrix.Protocol;

/// <summary>
/// Where canonical JSON is written, with the members of the objects that are still open; an object's members are put in order inside the buffer
/// when it closes. A mutable struct: keep it in one place.
/// </summary>
struct CanonicalOutput(int capacity)
{
    byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    JsonMember[] _members = ArrayPool<JsonMember>.Shared.Rent(32);

    public int Length { get; private set; }

    public int MemberCount { get; private set; }

    public readonly byte[] ToArray() => _bytes.AsSpan(0, Length).ToArray();

    public readonly void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        ArrayPool<JsonMember>.Shared.Return(_members);
    }

    public void Write(byte value)
    {
        if (Length == _bytes.Length)
            Grow(1);
        _bytes[Length++] = value;
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - Length < bytes.Length)
            Grow(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>The member that was written last.</summary>
    public readonly JsonMember Member(int start, int keyEnd, bool keyIsEscaped) => JsonMember.Create(_bytes, start, keyEnd, Length, keyIsEscaped);

    /// <summary>Remembers a member of the innermost open object; true if its key comes after the one before.</summary>
    public bool Add(JsonMember member, int firstMember)
    {
        if (MemberCount == _members.Length)
            GrowMembers();
        _members[MemberCount++] = member;
        return MemberCount - 1 == firstMember || JsonMember.Compare(_bytes, _members[MemberCount - 2], member) < 0;
    }

    /// <summary>Forgets the members of the object that closes.</summary>
    public void Close(int firstMember) => MemberCount = firstMember;

    /// <summary>Puts the members of the object that closes in order; of equal keys the last stays.</summary>
    /// <param name="start">Where the first member was written.</param>
    /// <returns>Was a key there twice?</returns>
    public bool Sort(int firstMember, int start)
    {
        var members = _members.AsSpan(firstMember, MemberCount - firstMember);
        members.Sort(new JsonMember.ByKey(_bytes));
        var scratch = ArrayPool<byte>.Shared.Rent(Length - start);
        var (length, hasRepeats) = (0, false);
        for (var i = 0; i < members.Length; i++)
        {
            if (i + 1 < members.Length && JsonMember.Compare(_bytes, members[i], members[i + 1]) == 0)
            {
                hasRepeats = true;
                continue;
            }
            if (length > 0)
                scratch[length++] = (byte)',';
            var bytes = _bytes.AsSpan(members[i].Start, members[i].End - members[i].Start);
            bytes.CopyTo(scratch.AsSpan(length));
            length += bytes.Length;
        }
        scratch.AsSpan(0, length).CopyTo(_bytes.AsSpan(start));
        Length = start + length;
        ArrayPool<byte>.Shared.Return(scratch);
        return hasRepeats;
    }

    void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent((Length + needed) * 2);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    void GrowMembers()
    {
        var larger = ArrayPool<JsonMember>.Shared.Rent(MemberCount * 2);
        _members.AsSpan().CopyTo(larger);
        ArrayPool<JsonMember>.Shared.Return(_members);
        _members = larger;
    }
}
