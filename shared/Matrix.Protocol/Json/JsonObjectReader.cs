namespace Matrix.Protocol;

/// <summary>Walks the members of an object in canonical JSON, without looking into their values. Trusts its input.</summary>
ref struct JsonObjectReader(ReadOnlySpan<byte> json)
{
    readonly ReadOnlySpan<byte> _json = json;
    int _position = 1;

    /// <summary>Where the member begins: at its key's opening quote.</summary>
    public int Start { get; private set; }

    public int ValueStart { get; private set; }

    public int ValueEnd { get; private set; }

    /// <summary>The key as it is written, without quotes.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public readonly ReadOnlySpan<byte> Value => _json[ValueStart..ValueEnd];

    /// <summary>Key and value as they are written.</summary>
    public readonly ReadOnlySpan<byte> Member => _json[Start..ValueEnd];

    public bool MoveNext()
    {
        if (_json[_position] == '}')
            return false;
        if (_json[_position] == ',')
            _position++;
        Start = _position;
        _position = JsonSkip.String(_json, _position);
        Name = _json[(Start + 1)..(_position - 1)];
        ValueStart = ++_position;
        ValueEnd = _position = JsonSkip.Value(_json, _position);
        return true;
    }

    /// <summary>The value of a member; empty if there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new JsonObjectReader(json);
        while (reader.MoveNext())
            if (reader.Name.SequenceEqual(name))
                return reader.Value;
        return default;
    }
}
