using System.Text;
using Aiproxy.Config;
using FsCheck;
using FsCheck.Fluent;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

/// <summary>Whatever a file holds, reading it ends in a configuration or in problems.</summary>
public sealed class ConfigFuzzTests
{
    private static readonly byte[] Example = File.ReadAllBytes(Path.Combine(Root, "config.example.yaml"));
    private static readonly byte[] Go = Encoding.UTF8.GetBytes(Fixture("go-aiproxy.yaml"));

    /// <summary>What YAML gives a meaning to, and what breaks readers.</summary>
    private static readonly string[] Spices =
    [
        ":", ": ", "-", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "<<: *a", "!!str ", "!x ", "|\n", ">-\n", "'", "\"", "\\", "#", "%", "@", "`", "\t", "\r", "\n", "\n---\n", "...\n",
        "~", "null", "${", "${A}", "${file:/}", "}", "\0", "\u0001", "\u2028", "\uFEFF", "\uD83D\uDE00", "0", "-1", "1e999", "9999999999999999999999", "true", "\\x", "\\u12", "\\U00110000", " ", "",
    ];

    private static readonly Gen<byte[]> RandomBytes = Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value));

    private static readonly Gen<byte[]> Spiced = Gen.ArrayOf(Gen.Elements(Spices)).Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts)));

    private static Gen<byte[]> Mutated(byte[] text) =>
        from cuts in Gen.ArrayOf(
            from at in Gen.Choose(0, text.Length - 1)
            from length in Gen.Frequency((3, Gen.Choose(0, 3)), (1, Gen.Choose(0, 200)))
            from spice in Gen.Elements(Spices)
            select (at, length, spice))
        select cuts.Take(6).Aggregate(text, (now, cut) => Splice(now, cut.at, cut.length, cut.spice));

    private static byte[] Splice(byte[] text, int at, int length, string spice)
    {
        int start = Math.Min(at, text.Length), end = Math.Min(start + length, text.Length);
        return [.. text[..start], .. Encoding.UTF8.GetBytes(spice), .. text[end..]];
    }

    private static void AssertOrderly(Gen<byte[]> files, int count)
    {
        using var folder = new TempFolder();
        string path = folder.At("config.yaml");
        ConfigReader reader = Reader(("A", "alpha"));
        Prop.ForAll(files.ToArbitrary(), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            ConfigResult result = reader.Read(path);
            Assert.Equal(result.Errors.Count == 0, result.Config is not null);
            Assert.All(result.Errors.Concat(result.Warnings), problem =>
            {
                Assert.True(problem.Line >= 1 && problem.Column >= 1, problem.ToString());
                Assert.DoesNotContain(problem.ToString(), letter => letter is '\n' or '\r' or '\0' or '\u2028');
                Assert.True(problem.Message.Length < 2000);
            });
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(count));
    }

    [Fact]
    public void RandomBytes_NeverThrow() => AssertOrderly(RandomBytes, 2000);

    [Fact]
    public void RandomYaml_NeverThrows() => AssertOrderly(Spiced, 5000);

    [Fact]
    public void MutatedExample_NeverThrows() => AssertOrderly(Mutated(Example), 1500);

    [Fact]
    public void MutatedFileOfTheGoProgram_NeverThrows() => AssertOrderly(Mutated(Go), 3000);
}
