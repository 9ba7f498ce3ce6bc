using System.Buffers.Binary;

namespace Matrix.Storage.Rooms;

/// <summary>The name of a node of a state tree: the first 16 bytes of the SHA-256 of its data. As a root, it names a whole state.</summary>
public readonly record struct StateNodeId(UInt128 Value)
{
    public const int Size = 16;

    public static StateNodeId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }

    public override string ToString() => Value.ToString("x32", null);
}
