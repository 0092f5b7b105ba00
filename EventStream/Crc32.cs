using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace Aiproxy.EventStream;

/// <summary>CRC-32 as in zlib, gzip and PNG: polynomial 0xEDB88320 reflected, starts at and is inverted with 0xFFFFFFFF.</summary>
/// <remarks>The in-box <c>BitOperations.Crc32C</c> and <c>Sse42.Crc32</c> are another polynomial. Which way is taken is asked of the processor at run
/// time: a native binary built for any x64 still multiplies where it can.</remarks>
public static class Crc32
{
    /// <summary>Four vectors must be full before folding can begin; below that the tables are as fast.</summary>
    public const int LeastFolded = 64;

    private const uint Polynomial = 0xEDB88320;

    /// <summary>Sixteen tables of 256, one behind the other. Table n gives what a byte does to the register n bytes later.</summary>
    private static readonly uint[] Tables = BuildTables();

    /// <summary><see cref="Folded"/> works on this processor.</summary>
    public static bool CanFold => Pclmulqdq.IsSupported;

    public static uint Of(ReadOnlySpan<byte> bytes) => Continue(0, bytes);

    /// <summary>The checksum of what <paramref name="checksum"/> is of with <paramref name="bytes"/> behind it. Of nothing it is 0.</summary>
    public static uint Continue(uint checksum, ReadOnlySpan<byte> bytes)
    {
        if (Pclmulqdq.IsSupported && bytes.Length >= LeastFolded) return Folded(checksum, bytes);
        return ArmCrc32.Arm64.IsSupported ? ByInstruction(checksum, bytes) : Sliced(checksum, bytes);
    }

    /// <summary>By tables, sixteen bytes a step. Works everywhere.</summary>
    public static uint Sliced(uint checksum, ReadOnlySpan<byte> bytes) => ~Slice(~checksum, bytes);

    /// <summary>By carry-less multiplication, 64 bytes a step.</summary>
    /// <param name="bytes">At least <see cref="LeastFolded"/>.</param>
    /// <exception cref="PlatformNotSupportedException"><see cref="CanFold"/> is false.</exception>
    /// <remarks>Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009. The constants are powers
    /// of x modulo the reflected polynomial: for 512 and 128 bits ahead, for the last 96 and 64 bits, and Barrett's two.</remarks>
    public static uint Folded(uint checksum, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes.Length, LeastFolded);
        Vector128<ulong> by512 = Vector128.Create(0x154442bd4UL, 0x1c6e41596UL);
        Vector128<ulong> by128 = Vector128.Create(0x1751997d0UL, 0x0ccaa009eUL);
        ref byte start = ref MemoryMarshal.GetReference(bytes);

        Vector128<ulong> a = Load(ref start, 0) ^ Vector128.CreateScalar(~checksum).AsUInt64();
        Vector128<ulong> b = Load(ref start, 16);
        Vector128<ulong> c = Load(ref start, 32);
        Vector128<ulong> d = Load(ref start, 48);
        int at = 64;
        for (; at <= bytes.Length - 64; at += 64)
        {
            a = Fold(a, by512, Load(ref start, at));
            b = Fold(b, by512, Load(ref start, at + 16));
            c = Fold(c, by512, Load(ref start, at + 32));
            d = Fold(d, by512, Load(ref start, at + 48));
        }
        a = Fold(Fold(Fold(a, by128, b), by128, c), by128, d);
        for (; at <= bytes.Length - 16; at += 16) a = Fold(a, by128, Load(ref start, at));
        return ~Slice(Reduce(a, by128), bytes[at..]);
    }

    /// <summary>By ARM's own instruction, eight bytes a step.</summary>
    /// <exception cref="PlatformNotSupportedException">The processor has none.</exception>
    public static uint ByInstruction(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint register = ~checksum;
        for (; bytes.Length >= 8; bytes = bytes[8..]) register = ArmCrc32.Arm64.ComputeCrc32(register, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte value in bytes) register = ArmCrc32.ComputeCrc32(register, value);
        return ~register;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte start, int at) => Vector128.LoadUnsafe(ref start, (nuint)at).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> value, Vector128<ulong> by, Vector128<ulong> next) =>
        Pclmulqdq.CarrylessMultiply(value, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, by, 0x11) ^ next;

    /// <summary>From 128 bits to the register: to 96, to 64, then Barrett's reduction to 32.</summary>
    private static uint Reduce(Vector128<ulong> value, Vector128<ulong> by128)
    {
        Vector128<ulong> low32 = Vector128.CreateScalar(0xFFFFFFFFUL);
        Vector128<ulong> by64 = Vector128.CreateScalar(0x163cd6124UL);
        Vector128<ulong> barrett = Vector128.Create(0x1db710641UL, 0x1f7011641UL);

        value = Pclmulqdq.CarrylessMultiply(value, by128, 0x10) ^ Sse2.ShiftRightLogical128BitLane(value, 8);
        value = Pclmulqdq.CarrylessMultiply(value & low32, by64, 0x00) ^ Sse2.ShiftRightLogical128BitLane(value, 4);
        Vector128<ulong> quotient = Pclmulqdq.CarrylessMultiply(value & low32, barrett, 0x10);
        return (Pclmulqdq.CarrylessMultiply(quotient & low32, barrett, 0x00) ^ value).AsUInt32().GetElement(1);
    }

    /// <summary>Works on the register, which is the inverse of the checksum.</summary>
    private static uint Slice(uint register, ReadOnlySpan<byte> bytes)
    {
        ref uint tables = ref MemoryMarshal.GetArrayDataReference(Tables);
        for (; bytes.Length >= 16; bytes = bytes[16..])
        {
            register = Word(ref tables, 12, register ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes))
                ^ Word(ref tables, 8, BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]))
                ^ Word(ref tables, 4, BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]))
                ^ Word(ref tables, 0, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
        }
        if (bytes.Length >= 8)
        {
            register = Word(ref tables, 4, register ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes))
                ^ Word(ref tables, 0, BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
            bytes = bytes[8..];
        }
        foreach (byte value in bytes) register = (register >> 8) ^ Unsafe.Add(ref tables, (byte)(register ^ value));
        return register;
    }

    /// <summary>What four bytes do to the register when <paramref name="behind"/> more follow in this step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Word(ref uint tables, int behind, uint word) =>
        Unsafe.Add(ref tables, ((behind + 3) << 8) + (int)(word & 0xFF)) ^ Unsafe.Add(ref tables, ((behind + 2) << 8) + (int)((word >> 8) & 0xFF))
        ^ Unsafe.Add(ref tables, ((behind + 1) << 8) + (int)((word >> 16) & 0xFF)) ^ Unsafe.Add(ref tables, (behind << 8) + (int)(word >> 24));

    private static uint[] BuildTables()
    {
        var tables = new uint[16 * 256];
        for (uint value = 0; value < 256; value++)
        {
            uint register = value;
            for (int bit = 0; bit < 8; bit++) register = (register & 1) == 0 ? register >> 1 : (register >> 1) ^ Polynomial;
            tables[value] = register;
        }
        for (int at = 256; at < tables.Length; at++) tables[at] = (tables[at - 256] >> 8) ^ tables[tables[at - 256] & 0xFF];
        return tables;
    }
}
