using System.Buffers.Binary;

namespace Matrix.Protocol;

/// <summary>Where a member stands in canonical JSON: its key with the quotes, and the end of its value.</summary>
/// <param name="Prefix">The first eight bytes of a key without escapes, as a number that is ordered as they are.</param>
readonly record struct JsonMember(int Start, int KeyEnd, int End, bool KeyIsEscaped, ulong Prefix)
{
    /// <param name="start">Of the key's opening quote.</param>
    /// <param name="keyEnd">Behind the key's closing quote.</param>
    public static JsonMember Create(ReadOnlySpan<byte> json, int start, int keyEnd, int end, bool keyIsEscaped) =>
        new(start, keyEnd, end, keyIsEscaped, keyIsEscaped ? 0 : ReadPrefix(json[(start + 1)..(keyEnd - 1)]));

    /// <summary>Compares two keys by code point, which in UTF-8 is the order of the bytes once escapes are resolved.</summary>
    public static int Compare(byte[] json, in JsonMember left, in JsonMember right)
    {
        if (left.KeyIsEscaped || right.KeyIsEscaped)
            return JsonText.CompareEscaped(left.Key(json), right.Key(json));
        return left.Prefix != right.Prefix ? left.Prefix.CompareTo(right.Prefix) : left.Key(json).SequenceCompareTo(right.Key(json));
    }

    /// <summary>A short key is filled up with zeroes, which are in no key that has no escapes.</summary>
    static ulong ReadPrefix(ReadOnlySpan<byte> key)
    {
        if (BinaryPrimitives.TryReadUInt64BigEndian(key, out var whole))
            return whole;
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        padded.Clear();
        key.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    ReadOnlySpan<byte> Key(byte[] json) => json.AsSpan(Start + 1, KeyEnd - Start - 2);

    /// <summary>By key; equal keys in the order they were written.</summary>
    public readonly struct ByKey(byte[] json) : IComparer<JsonMember>
    {
        public int Compare(JsonMember x, JsonMember y) =>
            JsonMember.Compare(json, x, y) is not 0 and var order ? order : x.Start.CompareTo(y.Start);
    }
}
