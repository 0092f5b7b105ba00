namespace Aiproxy.Tests.EventStream;

/// <summary>CRC-32 a bit at a time, as the definition has it: what the fast ways are compared with.</summary>
public static class Crc32Plain
{
    private static readonly uint[] OfByte = [.. Enumerable.Range(0, 256).Select(value => Shift((uint)value))];

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint register = uint.MaxValue;
        foreach (byte value in bytes) register = (register >> 8) ^ OfByte[(byte)(register ^ value)];
        return ~register;
    }

    private static uint Shift(uint register)
    {
        for (int bit = 0; bit < 8; bit++) register = (register & 1) == 1 ? (register >> 1) ^ 0xEDB88320 : register >> 1;
        return register;
    }
}
