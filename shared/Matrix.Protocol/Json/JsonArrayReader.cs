namespace Matrix.Protocol;

/// <summary>Walks the elements of an array in canonical JSON. Trusts its input.</summary>
ref struct JsonArrayReader(ReadOnlySpan<byte> json)
{
    readonly ReadOnlySpan<byte> _json = json;
    int _position = 1;

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        if (_json[_position] == ']')
            return false;
        if (_json[_position] == ',')
            _position++;
        var end = JsonSkip.Value(_json, _position);
        Value = _json[_position..end];
        _position = end;
        return true;
    }
}
