using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Matrix.Protocol;

/// <summary>The one pass of <see cref="CanonicalJson"/>: checks the grammar and copies tokens to the output as it reads them.</summary>
ref struct Canonicalizer(ReadOnlySpan<byte> input, JsonRules rules)
{
    static readonly SearchValues<byte> EndsPlainText = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    readonly ReadOnlySpan<byte> _input = input;
    CanonicalOutput _output = new(Math.Max(16, input.Length));
    int _position;
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
        return _output.ToArray();
    }

    public readonly void Dispose() => _output.Dispose();

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
        var (firstMember, start, sorted) = (_output.MemberCount, _output.Length, true);
        if (!TryTake('}'))
        {
            do
            {
                SkipWhitespace();
                sorted &= _output.Add(ReadMember(), firstMember);
            }
            while (TryTakeComma('}'));
        }
        if (!sorted && _output.Sort(firstMember, start) && rules == JsonRules.Strict)
            Refuse("a key appears twice");
        _output.Close(firstMember);
        Leave('}');
    }

    JsonMember ReadMember()
    {
        if (Peek() != '"')
            Refuse("a key must be a string");
        var keyStart = _output.Length;
        var escaped = ReadString();
        var keyEnd = _output.Length;
        SkipWhitespace();
        Take(':');
        _output.Write((byte)':');
        SkipWhitespace();
        ReadValue();
        return _output.Member(keyStart, keyEnd, escaped);
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

    /// <summary>Copies a string, its quotes included; true if the output has an escape in it.</summary>
    bool ReadString()
    {
        _output.Write((byte)'"');
        _position++;
        var escaped = false;
        while (true)
        {
            var rest = _input[_position..];
            var plain = rest.IndexOfAny(EndsPlainText);
            if (plain < 0)
                Refuse("a string does not end");
            _output.Write(rest[..plain]);
            _position += plain + 1;
            switch (rest[plain])
            {
                case (byte)'"':
                    _output.Write((byte)'"');
                    return escaped;
                case (byte)'\\':
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
        var character = JsonEscape.Read(_input[_position..], out var consumed);
        if (character < 0)
            Refuse("an unknown escape or half a surrogate pair");
        _position += consumed;
        Span<byte> encoded = stackalloc byte[6];
        _output.Write(encoded[..JsonText.Encode(new Rune(character), encoded)]);
        return JsonText.NeedsEscape(character);
    }

    void ReadNumber()
    {
        var number = JsonNumber.Scan(_input[_position..]);
        if (number.Length == 0)
            Refuse("not a value");
        var text = _input.Slice(_position, number.Length);
        if (rules == JsonRules.Strict && !number.IsCanonical(text))
            Refuse("a number that is not an integer in ±(2^53−1)");
        if (rules == JsonRules.Relaxed && number.Simplify(text) is { } simple)
            WriteInteger(simple);
        else
            _output.Write(text);
        _position += number.Length;
    }

    void WriteInteger(long value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out var written);
        _output.Write(text[..written]);
    }

    void ReadLiteral(ReadOnlySpan<byte> literal)
    {
        if (!_input[_position..].StartsWith(literal))
            Refuse("not a value");
        _position += literal.Length;
        _output.Write(literal);
    }

    void Enter(char bracket)
    {
        if (++_depth > CanonicalJson.MaxDepth)
            Refuse("nested too deeply");
        _position++;
        _output.Write((byte)bracket);
        SkipWhitespace();
    }

    void Leave(char bracket)
    {
        _depth--;
        _output.Write((byte)bracket);
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
            _output.Write((byte)',');
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

    [DoesNotReturn]
    readonly void Refuse(string reason) => throw new InvalidJsonException($"Not canonical JSON: {reason} (at byte {_position}).");
}
