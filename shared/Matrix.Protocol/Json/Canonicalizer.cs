using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Matrix.Protocol;

/// <summary>
/// The one pass of <see cref="CanonicalJson"/>: copies tokens to the output as it reads them, and puts an object's members in order,
/// inside the output, when the object closes and its keys did not come in order.
/// </summary>
ref struct Canonicalizer(ReadOnlySpan<byte> input, JsonRules rules)
{
    const long MaxInteger = (1L << 53) - 1;

    static readonly SearchValues<byte> EndsPlainText = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    readonly ReadOnlySpan<byte> _input = input;
    byte[] _output = ArrayPool<byte>.Shared.Rent(Math.Max(16, input.Length));
    JsonMember[] _members = ArrayPool<JsonMember>.Shared.Rent(32);
    int _memberCount;
    int _position;
    int _length;
    int _depth;

    public byte[] Run()
    {
        if (!Utf8.IsValid(_input))
            Refuse("not UTF-8");
        SkipWhitespace();
        ReadValue();
        SkipWhitespace();
        if (_position != _input.Length)
            Refuse("text after the value");
        return _output.AsSpan(0, _length).ToArray();
    }

    public readonly void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_output);
        ArrayPool<JsonMember>.Shared.Return(_members);
    }

    void ReadValue()
    {
        switch (Peek())
        {
            case (byte)'{': ReadObject(); break;
            case (byte)'[': ReadArray(); break;
            case (byte)'"': ReadString(); break;
            case (byte)'t': ReadLiteral("true"u8); break;
            case (byte)'f': ReadLiteral("false"u8); break;
            case (byte)'n': ReadLiteral("null"u8); break;
            default: ReadNumber(); break;
        }
    }

    void ReadObject()
    {
        Enter('{');
        var firstMember = _memberCount;
        var start = _length;
        var sorted = true;
        if (!TryTake('}'))
        {
            do
            {
                SkipWhitespace();
                var member = ReadMember();
                sorted = sorted && (_memberCount == firstMember || JsonMember.Compare(_output, _members[_memberCount - 1], member) < 0);
                Push(member);
            }
            while (TryTakeComma('}'));
        }
        if (!sorted)
            Sort(firstMember, start);
        _memberCount = firstMember;
        Leave('}');
    }

    JsonMember ReadMember()
    {
        if (Peek() != '"')
            Refuse("a key must be a string");
        var keyStart = _length;
        var escaped = ReadString();
        var keyEnd = _length;
        SkipWhitespace();
        Take(':');
        Write((byte)':');
        SkipWhitespace();
        ReadValue();
        return new JsonMember(keyStart, keyEnd, _length, escaped);
    }

    void ReadArray()
    {
        Enter('[');
        if (!TryTake(']'))
        {
            do
            {
                SkipWhitespace();
                ReadValue();
            }
            while (TryTakeComma(']'));
        }
        Leave(']');
    }

    /// <summary>Puts the members of the object that closes here in order; <paramref name="start"/> is where its first member was written.</summary>
    void Sort(int firstMember, int start)
    {
        var members = _members.AsSpan(firstMember, _memberCount - firstMember);
        members.Sort(new JsonMember.ByKey(_output));
        var scratch = ArrayPool<byte>.Shared.Rent(_length - start);
        var length = 0;
        for (var i = 0; i < members.Length; i++)
        {
            var isRepeated = i + 1 < members.Length && JsonMember.Compare(_output, members[i], members[i + 1]) == 0;
            if (isRepeated && rules == JsonRules.Strict)
                Refuse("a key appears twice");
            if (isRepeated)
                continue;
            if (length > 0)
                scratch[length++] = (byte)',';
            var bytes = _output.AsSpan(members[i].Start, members[i].End - members[i].Start);
            bytes.CopyTo(scratch.AsSpan(length));
            length += bytes.Length;
        }
        scratch.AsSpan(0, length).CopyTo(_output.AsSpan(start));
        _length = start + length;
        ArrayPool<byte>.Shared.Return(scratch);
    }

    /// <summary>Copies a string, its quotes included; true if the output has an escape in it.</summary>
    bool ReadString()
    {
        Write((byte)'"');
        _position++;
        var escaped = false;
        while (true)
        {
            var rest = _input[_position..];
            var plain = rest.IndexOfAny(EndsPlainText);
            if (plain < 0)
                Refuse("a string does not end");
            Write(rest[..plain]);
            _position += plain;
            switch (_input[_position])
            {
                case (byte)'"':
                    _position++;
                    Write((byte)'"');
                    return escaped;
                case (byte)'\\':
                    _position++;
                    escaped |= ReadEscape();
                    break;
                default:
                    Refuse("a control character in a string");
                    break;
            }
        }
    }

    /// <summary>Reads what follows a backslash and writes the character in its shortest form; true if that is an escape again.</summary>
    bool ReadEscape()
    {
        if (_position >= _input.Length)
            Refuse("a string does not end");
        var escape = _input[_position++];
        var character = escape switch
        {
            (byte)'"' or (byte)'\\' or (byte)'/' => escape,
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            (byte)'n' => '\n',
            (byte)'r' => '\r',
            (byte)'t' => '\t',
            (byte)'u' => ReadCodePoint(),
            _ => -1,
        };
        if (character < 0)
            Refuse("an unknown escape");
        Span<byte> encoded = stackalloc byte[6];
        Write(encoded[..JsonText.Encode(new Rune(character), encoded)]);
        return JsonText.NeedsEscape(character);
    }

    int ReadCodePoint()
    {
        var unit = ReadHex();
        if (char.IsLowSurrogate((char)unit))
            return -1;
        if (!char.IsHighSurrogate((char)unit))
            return unit;
        if (!_input[_position..].StartsWith("\\u"u8))
            return -1;
        _position += 2;
        var low = ReadHex();
        return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)unit, (char)low) : -1;
    }

    int ReadHex()
    {
        if (_input.Length - _position < 4 || !Utf8Parser.TryParse(_input.Slice(_position, 4), out ushort unit, out var read, 'x') || read != 4)
        {
            Refuse("an escape without four hexadecimal digits");
            return -1;
        }
        _position += 4;
        return unit;
    }

    void ReadNumber()
    {
        var start = _position;
        var negative = _position < _input.Length && _input[_position] == '-';
        if (negative)
            _position++;
        var digits = Digits();
        if (digits == 0 || (digits > 1 && _input[_position - digits] == '0'))
            Refuse("not a value");
        var integerEnd = _position;
        var hasFraction = SkipFraction();
        var hasExponent = SkipExponent();
        WriteNumber(_input[start.._position], _position == integerEnd, hasExponent, negative && digits == 1 && _input[start + 1] == '0');
    }

    void WriteNumber(ReadOnlySpan<byte> text, bool isInteger, bool hasExponent, bool isNegativeZero)
    {
        if (rules == JsonRules.Strict)
        {
            if (!isInteger || isNegativeZero || !Utf8Parser.TryParse(text, out long value, out _) || value is > MaxInteger or < -MaxInteger)
                Refuse("a number that is not an integer in ±(2^53−1)");
            Write(text);
        }
        else if (isInteger && isNegativeZero)
            Write((byte)'0');
        else if (hasExponent && double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) is var value
            && double.IsInteger(value) && Math.Abs(value) <= MaxInteger)
            WriteInteger((long)value);
        else
            Write(text);
    }

    void WriteInteger(long value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out var written);
        Write(text[..written]);
    }

    bool SkipFraction()
    {
        if (_position >= _input.Length || _input[_position] != '.')
            return false;
        _position++;
        if (Digits() == 0)
            Refuse("not a number");
        return true;
    }

    bool SkipExponent()
    {
        if (_position >= _input.Length || (_input[_position] | 0x20) != 'e')
            return false;
        _position++;
        if (_position < _input.Length && _input[_position] is (byte)'+' or (byte)'-')
            _position++;
        if (Digits() == 0)
            Refuse("not a number");
        return true;
    }

    int Digits()
    {
        var start = _position;
        while (_position < _input.Length && char.IsAsciiDigit((char)_input[_position]))
            _position++;
        return _position - start;
    }

    void ReadLiteral(ReadOnlySpan<byte> literal)
    {
        if (!_input[_position..].StartsWith(literal))
            Refuse("not a value");
        _position += literal.Length;
        Write(literal);
    }

    void Enter(char bracket)
    {
        if (++_depth > CanonicalJson.MaxDepth)
            Refuse("nested too deeply");
        _position++;
        Write((byte)bracket);
        SkipWhitespace();
    }

    void Leave(char bracket)
    {
        _depth--;
        Write((byte)bracket);
    }

    readonly byte Peek() => _position < _input.Length ? _input[_position] : (byte)0;

    void Take(char expected)
    {
        if (!TryTake(expected))
            Refuse($"expected '{expected}'");
    }

    bool TryTake(char expected)
    {
        if (Peek() != expected)
            return false;
        _position++;
        return true;
    }

    bool TryTakeComma(char end)
    {
        SkipWhitespace();
        if (TryTake(','))
        {
            Write((byte)',');
            return true;
        }
        Take(end);
        return false;
    }

    void SkipWhitespace()
    {
        while (_position < _input.Length && _input[_position] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            _position++;
    }

    void Push(JsonMember member)
    {
        if (_memberCount == _members.Length)
        {
            var larger = ArrayPool<JsonMember>.Shared.Rent(_memberCount * 2);
            _members.AsSpan().CopyTo(larger);
            ArrayPool<JsonMember>.Shared.Return(_members);
            _members = larger;
        }
        _members[_memberCount++] = member;
    }

    void Write(byte value)
    {
        if (_length == _output.Length)
            Grow(1);
        _output[_length++] = value;
    }

    void Write(scoped ReadOnlySpan<byte> bytes)
    {
        if (_output.Length - _length < bytes.Length)
            Grow(bytes.Length);
        bytes.CopyTo(_output.AsSpan(_length));
        _length += bytes.Length;
    }

    void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent((_length + needed) * 2);
        _output.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_output);
        _output = larger;
    }

    [DoesNotReturn]
    readonly void Refuse(string reason) => throw new InvalidJsonException($"Not canonical JSON: {reason} (at byte {_position}).");
}
