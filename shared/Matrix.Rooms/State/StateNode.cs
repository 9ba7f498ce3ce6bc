using System.Numerics;
using System.Security.Cryptography;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.State;

/// <summary>
/// A node of a state tree, immutable, kept as the bytes it is stored as.
/// Leaf: 0, then for each entry, in order of key: varint length of the key, the key, varint event_nid.
/// Branch: 1, a bitmap of the children there are, their ids in order of slot.
/// A subtree is a leaf exactly when its weight is at most <see cref="MaxLeafWeight"/> (or no hash bits are left), so that equal states have
/// equal roots, however they came about.
/// </summary>
public sealed class StateNode
{
    /// <summary>
    /// Together with eight children to a branch it keeps the bytes written for one change level (some 850) from a thousand entries to a
    /// hundred thousand; the tests hold this.
    /// </summary>
    internal const int MaxLeafWeight = 768;

    const byte LeafMark = 0;
    const byte BranchMark = 1;
    const int BranchHeader = 2;

    readonly byte[] data;

    StateNode(byte[] data, StateNodeId id)
    {
        this.data = data;
        Id = id;
    }

    /// <summary>The state in which there is nothing. It is never stored.</summary>
    public static StateNode Empty { get; } = FromData([LeafMark]);

    public StateNodeId Id { get; }

    public ReadOnlyMemory<byte> Data => data;

    internal bool IsLeaf => data[0] == LeafMark;

    /// <summary>The node that has this data.</summary>
    public static StateNode FromData(byte[] data)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, digest);
        return new StateNode(data, StateNodeId.Read(digest));
    }

    /// <summary>The node read from storage under this id.</summary>
    internal static StateNode FromStored(StateNodeId id, byte[] data) => new(data, id);

    /// <summary>What an entry counts towards the size of a leaf. It does not depend on the event, so that replacing one never splits a leaf.</summary>
    internal static int Weight(LeafEntry entry) => entry.Key.Length + 9;

    /// <param name="entries">In order of key.</param>
    internal static StateNode Leaf(IReadOnlyList<LeafEntry> entries)
    {
        if (entries.Count == 0)
            return Empty;
        var data = new byte[1 + entries.Sum(e => Varint.Size((ulong)e.Key.Length) + e.Key.Length + Varint.Size((ulong)e.EventNid))];
        data[0] = LeafMark;
        var at = 1;
        foreach (var entry in entries)
        {
            at += Varint.Write(data.AsSpan(at), (ulong)entry.Key.Length);
            entry.Key.Span.CopyTo(data.AsSpan(at));
            at += entry.Key.Length;
            at += Varint.Write(data.AsSpan(at), (ulong)entry.EventNid);
        }
        return FromData(data);
    }

    internal static StateNode Branch(ReadOnlySpan<StateNodeId?> children)
    {
        var bitmap = 0;
        for (var slot = 0; slot < children.Length; slot++)
            bitmap |= children[slot] is null ? 0 : 1 << slot;
        var data = new byte[BranchHeader + BitOperations.PopCount((uint)bitmap) * StateNodeId.Size];
        data[0] = BranchMark;
        data[1] = (byte)bitmap;
        var at = BranchHeader;
        foreach (var child in children)
        {
            if (child is not { } id)
                continue;
            id.Write(data.AsSpan(at));
            at += StateNodeId.Size;
        }
        return FromData(data);
    }

    /// <summary>The child of this branch at the slot, or null.</summary>
    internal StateNodeId? Child(int slot)
    {
        int bitmap = data[1];
        if ((bitmap & (1 << slot)) == 0)
            return null;
        var index = BitOperations.PopCount((uint)(bitmap & ((1 << slot) - 1)));
        return StateNodeId.Read(data.AsSpan(BranchHeader + index * StateNodeId.Size));
    }

    /// <summary>The entries of this leaf, in order of key.</summary>
    internal List<LeafEntry> Entries()
    {
        var entries = new List<LeafEntry>();
        for (var at = 1; at < data.Length;)
        {
            var length = (int)Varint.Read(data, ref at);
            var key = data.AsMemory(at, length);
            at += length;
            entries.Add(new LeafEntry(key, (long)Varint.Read(data, ref at)));
        }
        return entries;
    }

    /// <summary>The event at the key in this leaf, or null.</summary>
    internal long? FindInLeaf(ReadOnlySpan<byte> key)
    {
        for (var at = 1; at < data.Length;)
        {
            var length = (int)Varint.Read(data, ref at);
            var found = data.AsSpan(at, length).SequenceEqual(key);
            at += length;
            var eventNid = (long)Varint.Read(data, ref at);
            if (found)
                return eventNid;
        }
        return null;
    }
}

readonly record struct LeafEntry(ReadOnlyMemory<byte> Key, long EventNid)
{
    public ulong Hash => StateTreeKey.HashOf(Key.Span);
}
