namespace Colibri.EndToEndTests.PowerCuts;

/// <summary>What a power cut leaves of what was not synced: the least that may be, or all that stands where the disk has a place for it.</summary>
public enum Leaves
{
    /// <summary>Nothing that was not synced, neither bytes nor names.</summary>
    Nothing,

    /// <summary>Bytes over old ones, and every change of a directory; of what a file grew by, nothing.</summary>
    AllButGrowth,
}

/// <summary>
/// A file system that is fed with what a daemon did and writes out, at any moment, what a power cut would leave of it. fsync keeps a file
/// as it is when the call begins; a directory's names are kept by a sync of the directory alone, which is less than what UFS, ext4, XFS and ZFS keep.
/// fdatasync is Linux's, or that of FreeBSD's UFS: bytes over old ones, and neither a new size nor a new name.
/// </summary>
internal sealed class CutDisk(string root, bool dataSyncKeepsGrowth)
{
    private readonly Dictionary<ulong, Node> _live = [];
    private readonly Dictionary<(ulong Inode, long Descriptor), (Node Node, Node State, bool Whole, int Order)> _syncs = [];
    private readonly Node _root = new();
    private int _order;

    public void Apply(PowerCutEvent one)
    {
        switch (one.Kind)
        {
            case PowerCutRecord.Opened or PowerCutRecord.Directory:
                Open(one);
                break;
            case PowerCutRecord.Write:
                _live[one.Inode].Write(one.Number, one.Bytes);
                break;
            case PowerCutRecord.Truncate:
                _live[one.Inode].Resize(one.Number);
                break;
            case PowerCutRecord.Rename:
                var (from, name) = Parent(one.Path);
                from.Names.Remove(name, out var moved);
                var (to, newName) = Parent(one.NewPath);
                to.Names[newName] = moved!;
                break;
            case PowerCutRecord.Remove:
                var (directory, removed) = Parent(one.Path);
                if (directory.Names.Remove(removed, out var gone))
                    _live.Remove(_live.First(pair => pair.Value == gone).Key);
                break;
            case PowerCutRecord.SyncBegun or PowerCutRecord.DataSyncBegun:
                if (_live.TryGetValue(one.Inode, out var node))
                    _syncs[(one.Inode, one.Number)] = (node, node.Copy(), one.Kind == PowerCutRecord.SyncBegun || dataSyncKeepsGrowth, ++_order);
                break;
            case PowerCutRecord.Synced:
                if (_syncs.Remove((one.Inode, one.Number), out var sync) && sync.Order > sync.Node.KeptOrder)
                    sync.Node.Keep(sync.State, sync.Whole, sync.Order);
                break;
        }
    }

    /// <summary>The kernel's own, which comes every half minute or so, and takes all along.</summary>
    public void SyncAll()
    {
        _order++;
        foreach (var node in _live.Values)
            node.Keep(node.Copy(), whole: true, _order);
    }

    /// <summary>Writes what is left into an empty folder.</summary>
    public void WriteTo(string folder, Leaves leaves) => WriteTo(_root, folder, leaves);

    private static void WriteTo(Node directory, string folder, Leaves leaves)
    {
        foreach (var (name, node) in leaves == Leaves.Nothing ? directory.KeptNames : directory.Names)
        {
            var path = Path.Combine(folder, name);
            if (node.IsDirectory)
                WriteTo(node, Directory.CreateDirectory(path).FullName, leaves);
            else
                File.WriteAllBytes(path, node.Left(leaves));
        }
    }

    private void Open(PowerCutEvent one)
    {
        if (one.Path == root)
        {
            _root.IsDirectory = true;
            _live[one.Inode] = _root;
            return;
        }
        var (directory, name) = Parent(one.Path);
        if (!directory.Names.TryGetValue(name, out var node))
            directory.Names[name] = node = new Node { IsDirectory = one.Kind == PowerCutRecord.Directory };
        _live[one.Inode] = node;
        if (one.Kind == PowerCutRecord.Opened && one.Number == 1)
            node.Resize(0);
    }

    private (Node Directory, string Name) Parent(string path)
    {
        var parts = path[(root.Length + 1)..].Split('/');
        var directory = _root;
        foreach (var part in parts.SkipLast(1))
        {
            // One that was there before the recorder.
            if (!directory.Names.TryGetValue(part, out var next))
                directory.Names[part] = directory.KeptNames[part] = next = new Node { IsDirectory = true };
            directory = next;
        }
        return (directory, parts[^1]);
    }

    private sealed class Node
    {
        private byte[] _bytes = [];
        private int _size;
        private byte[] _kept = [];

        public bool IsDirectory { get; set; }
        public Dictionary<string, Node> Names { get; private init; } = [];
        public Dictionary<string, Node> KeptNames { get; private set; } = [];
        public int KeptOrder { get; private set; }

        public void Write(long offset, byte[] bytes)
        {
            if (offset + bytes.Length > _size)
                Resize(offset + bytes.Length);
            bytes.CopyTo(_bytes, offset);
        }

        public void Resize(long size)
        {
            if (size > _bytes.Length)
                Array.Resize(ref _bytes, (int)Math.Max(size, 2L * _bytes.Length));
            else if (size < _size)
                Array.Clear(_bytes, (int)size, _size - (int)size);
            _size = (int)size;
        }

        public Node Copy() => new() { _bytes = _bytes[.._size], _size = _size, Names = new Dictionary<string, Node>(Names) };

        public void Keep(Node state, bool whole, int order)
        {
            KeptOrder = order;
            if (whole)
                (_kept, KeptNames) = (state._bytes, state.Names);
            else
                state._bytes.AsSpan(0, Math.Min(state._size, _kept.Length)).CopyTo(_kept = [.. _kept]);
        }

        public byte[] Left(Leaves leaves)
        {
            if (leaves == Leaves.Nothing)
                return _kept;
            byte[] left = [.. _kept];
            _bytes.AsSpan(0, Math.Min(_size, left.Length)).CopyTo(left);
            return left;
        }
    }
}
