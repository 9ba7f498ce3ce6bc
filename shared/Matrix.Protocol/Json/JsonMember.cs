namespace Matrix.Protocol;

/// <summary>Where a member stands in canonical JSON: its key with the quotes, and the end of its value.</summary>
readonly record struct JsonMember(int Start, int KeyEnd, int End, bool KeyIsEscaped)
{
    /// <summary>Compares two keys by code point, which in UTF-8 is the order of the bytes once escapes are resolved.</summary>
    public static int Compare(byte[] json, in JsonMember left, in JsonMember right)
    {
        var leftKey = json.AsSpan(left.Start + 1, left.KeyEnd - left.Start - 2);
        var rightKey = json.AsSpan(right.Start + 1, right.KeyEnd - right.Start - 2);
        return left.KeyIsEscaped || right.KeyIsEscaped
            ? JsonText.CompareEscaped(leftKey, rightKey)
            : leftKey.SequenceCompareTo(rightKey);
    }

    /// <summary>By key; equal keys in the order they were written.</summary>
    public readonly struct ByKey(byte[] json) : IComparer<JsonMember>
    {
        public int Compare(JsonMember x, JsonMember y) =>
            JsonMember.Compare(json, x, y) is not 0 and var order ? order : x.Start.CompareTo(y.Start);
    }
}
