using Aiproxy.Config;
using static Aiproxy.Config.ChangeSettler;

namespace Aiproxy.Tests.Config;

public sealed class ChangeSettlerTests
{
    private static readonly Dictionary<string, string> Known = Print("1");

    private readonly ChangeSettler _settler = new(TimeSpan.FromMilliseconds(100));

    private static Dictionary<string, string> Print(string one, string other = "x") => new() { ["one"] = one, ["other"] = other };

    private static TimeSpan At(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static Verdict Again(int milliseconds) => Verdict.In(At(milliseconds));

    [Fact]
    public void EqualContent_IsNothing() => Assert.Equal(Verdict.Nothing, _settler.Look(At(0), true, Known, Print("1")));

    [Fact]
    public void ContentThatStaysTheSame_IsRipeAfterTheDebounce()
    {
        Assert.Equal(Again(100), _settler.Look(At(0), true, Known, Print("2")));
        Assert.True(_settler.IsSettling);
        Assert.Equal(Verdict.Ripe, _settler.Look(At(100), false, Known, Print("2")));
        Assert.False(_settler.IsSettling);
    }

    [Fact]
    public void ContentThatChangesOnAndOn_IsRipeAfterHalfASecond()
    {
        for (int time = 0; time < 400; time += 100) Assert.Equal(Again(100), _settler.Look(At(time), true, Known, Print($"a{time}")));
        Assert.Equal(Again(50), _settler.Look(At(450), true, Known, Print("b")));
        Assert.Equal(Verdict.Ripe, _settler.Look(At(500), true, Known, Print("c")));
    }

    [Fact]
    public void HintsWithoutNewContent_PutOff_ButNotForever()
    {
        for (int time = 0; time <= 400; time += 100) Assert.False(_settler.Look(At(time), true, Known, Print("2")).IsRipe);
        Assert.True(_settler.Look(At(500), true, Known, Print("2")).IsRipe);
    }

    [Theory]
    [InlineData(FileContent.Missing)]
    [InlineData(FileContent.Empty)]
    public void FileThatIsGone_IsWaitedForLonger(string gone)
    {
        for (int time = 0; time < 2000; time += 100) Assert.False(_settler.Look(At(time), false, Known, Print(gone)).IsRipe);
        Assert.True(_settler.Look(At(2000), false, Known, Print(gone)).IsRipe);
    }

    [Fact]
    public void FileThatWasNeverThere_NeedNotBeWaitedFor()
    {
        Dictionary<string, string> known = Print("1", FileContent.Missing);
        Assert.False(_settler.Look(At(0), false, known, Print("2", FileContent.Missing)).IsRipe);
        Assert.True(_settler.Look(At(100), false, known, Print("2", FileContent.Missing)).IsRipe);
    }

    [Fact]
    public void FileThatComesBackAsItWas_IsNothing()
    {
        Assert.False(_settler.Look(At(0), false, Known, Print(FileContent.Missing)).IsRipe);
        Assert.Equal(Verdict.Nothing, _settler.Look(At(100), false, Known, Print("1")));
        Assert.False(_settler.IsSettling);
    }

    [Fact]
    public void SecondChange_SettlesFromItsOwnBeginning()
    {
        _settler.Look(At(0), true, Known, Print("2"));
        _settler.Look(At(100), false, Known, Print("2"));
        Assert.Equal(Again(100), _settler.Look(At(10_000), true, Print("2"), Print("3")));
    }
}
