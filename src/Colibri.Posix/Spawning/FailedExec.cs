using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>
/// Why execve(2) refused a file, and what to do, from the file itself: its mode, its mount, its first bytes. The error number alone is often a
/// riddle: ENOENT for a file that is there, ENOEXEC for a script.
/// </summary>
internal static class FailedExec
{
    // BINPRM_BUF_SIZE of <linux/binfmts.h>: the kernel looks no further for an interpreter. FreeBSD looks at a page.
    private const int HeadBytes = 256;
    private const int ElfHeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int MostProgramHeaders = 64;
    private const int LongestName = 128;

    /// <summary>The end of a sentence, or empty where the file says nothing more than the number.</summary>
    public static string Explain(string path, int errno)
    {
        var abi = AbiConstants.Current;
        if (errno == abi.ELOOP)
            return "its links lead round, or its interpreter is a script whose interpreter is a script, too often";
        return errno switch
        {
            AbiConstants.ENOENT => Missing(path),
            AbiConstants.EACCES => ProgramFile.WhyNot(path) ?? OfInterpreter(path) ?? "a security policy may forbid it (AppArmor, SELinux)",
            AbiConstants.ENOEXEC => NoProgram(path),
            AbiConstants.ETXTBSY => "it is open for writing: somebody is replacing it",
            AbiConstants.ENOTDIR => "a part of its path, or of its interpreter's, is no directory",
            AbiConstants.EPERM => "the mount or a security policy forbids it",
            _ => "",
        };
    }

    private static string Missing(string path)
    {
        if (!FileOwner.TryOf(path, out _, out _))
            return new FileInfo(path).LinkTarget is { } target ? $"it is a link to {Shown(target)}, which is not there" : "";
        var head = Head(path);
        if (Interpreter(head) is { } interpreter)
        {
            return interpreter.EndsWith('\r')
                ? $"its first line ends with a carriage return, which is read as part of its interpreter's name: sed -i 's/\\r$//' {path}"
                : $"its interpreter {Shown(interpreter)} is not there: install it, or correct the first line";
        }
        return Loader(path, head) is { } loader
            ? $"it needs the loader {Shown(loader)}, which is not there: it is built for another C library or distribution"
            : "the file is there, the interpreter or loader it names is not";
    }

    private static string? OfInterpreter(string path)
    {
        var head = Head(path);
        return (Interpreter(head) ?? Loader(path, head)) is { } name && ProgramFile.WhyNot(name) is { } reason ? $"of its interpreter {Shown(name)}: {reason}" : null;
    }

    private static string NoProgram(string path)
    {
        var head = Head(path);
        if (head is null)
            return "";
        if (head.Length == 0)
            return "it is empty";
        if (head.AsSpan().StartsWith("\u007fELF"u8))
            return OfElf(head);
        if (head.AsSpan().StartsWith("#!"u8))
            return "its interpreter line (#!) names no program";
        if (head.AsSpan().StartsWith("\ufeff#!"u8))
            return $"a byte order mark stands before its interpreter line (#!): sed -i '1s/^\\xEF\\xBB\\xBF//' {path}";
        if (head.AsSpan().StartsWith("MZ"u8))
            return "it is a program for Windows";
        if (head is [0xcf or 0xce, 0xfa, 0xed, 0xfe, ..] or [0xfe, 0xed, 0xfa, 0xce or 0xcf, ..] or [0xca, 0xfe, 0xba, 0xbe, ..])
            return "it is a program for macOS, or a Java class";
        return head.AsSpan().Contains((byte)0)
            ? "it is no program of a kind that this system knows"
            : "it is a text that has no interpreter line (#!): begin it with #!/bin/sh, or whatever runs it";
    }

    private static string OfElf(byte[] head)
    {
        if (head.Length < ElfHeaderBytes)
            return "it is an ELF file that is cut short";
        var machine = head[5] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(18)) : BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(18));
        return machine == AbiConstants.Current.EM_SELF
            ? "it is an ELF file for this processor, but damaged, no program, or one of another system"
            : $"it is built for {Machine(machine)}, and this machine is {Machine(AbiConstants.Current.EM_SELF)}";
    }

    // <elf.h>
    private static string Machine(int machine) => machine switch
    {
        3 => "x86 of 32 bits",
        8 => "MIPS",
        20 or 21 => "PowerPC",
        22 => "s390",
        40 => "ARM of 32 bits",
        62 => "x86-64",
        183 => "aarch64",
        243 => "RISC-V",
        258 => "LoongArch",
        _ => string.Create(CultureInfo.InvariantCulture, $"another processor (ELF machine {machine})"),
    };

    private static string? Interpreter(byte[]? head)
    {
        if (head is null || !head.AsSpan().StartsWith("#!"u8))
            return null;
        var line = head.AsSpan(2);
        if (line.IndexOf((byte)'\n') is >= 0 and var end)
            line = line[..end];
        line = line.TrimStart(" \t"u8);
        if (line.IndexOfAny((byte)' ', (byte)'\t') is >= 0 and var blank)
            line = line[..blank];
        return line.IsEmpty ? null : Encoding.UTF8.GetString(line);
    }

    // PT_INTERP of a 64-bit little-endian ELF file, which programs of both processors are.
    private static string? Loader(string path, byte[]? head)
    {
        if (head is null || head.Length < ElfHeaderBytes || !head.AsSpan().StartsWith("\u007fELF"u8) || head[4] != 2 || head[5] != 1)
            return null;
        var offset = BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(32));
        var count = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(56)), (ushort)MostProgramHeaders);
        var headers = Read(path, offset, count * ProgramHeaderBytes);
        for (var header = headers.AsSpan(); header.Length >= ProgramHeaderBytes; header = header[ProgramHeaderBytes..])
        {
            const int PT_INTERP = 3;
            if (BinaryPrimitives.ReadInt32LittleEndian(header) == PT_INTERP)
                return Encoding.UTF8.GetString(Read(path, BinaryPrimitives.ReadInt64LittleEndian(header[8..]), LongestName) is { } name ? name.AsSpan()[..Math.Max(0, name.AsSpan().IndexOf((byte)0))] : default);
        }
        return null;
    }

    private static byte[]? Head(string path) => Read(path, 0, HeadBytes);

    // Null where it cannot be read: a file may be executable and not readable.
    private static byte[]? Read(string path, long offset, int length)
    {
        if (offset < 0 || !FileOwner.TryOf(path, out var file, out _) || (file.Mode & AbiConstants.S_IFMT) != AbiConstants.S_IFREG)
            return null;
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[length];
            return buffer.AsSpan(0, RandomAccess.Read(handle, buffer, offset)).ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // It comes out of a file and goes to a terminal.
    private static string Shown(string name) => string.Create(Math.Min(name.Length, LongestName), name, static (shown, name) =>
    {
        for (var i = 0; i < shown.Length; i++)
            shown[i] = char.IsControl(name[i]) || name[i] == '\ufffd' ? '?' : name[i];
    });
}
