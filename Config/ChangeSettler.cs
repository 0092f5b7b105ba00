namespace Aiproxy.Config;

/// <summary>Decides when a change of files is ripe for reading: not in the middle of a save, and not never. Holds no clock. Not thread-safe.</summary>
/// <remarks>Times count from any fixed start. Quiet => Settling at the first difference; Settling => Quiet when the difference is gone or read.</remarks>
/// <param name="debounce">Content must stay the same this long.</param>
public sealed class ChangeSettler(TimeSpan debounce)
{
    /// <summary>A file that is written without pause is read after this long as it is.</summary>
    public static readonly TimeSpan LongestSettling = TimeSpan.FromMilliseconds(500);

    /// <summary>A file that is gone or empty may be in the middle of a save; after this long it is meant.</summary>
    public static readonly TimeSpan LongestAbsence = TimeSpan.FromSeconds(2);

    private IReadOnlyDictionary<string, string>? _seen;
    private TimeSpan _since;

    /// <summary>A difference was seen and is not read yet.</summary>
    public bool IsSettling => _seen is not null;

    /// <param name="wasHinted">Something happened to the files since the last look.</param>
    /// <param name="known">Fingerprints of what was read last.</param>
    /// <param name="current">Fingerprints of the same files now.</param>
    public Verdict Look(TimeSpan now, bool wasHinted, IReadOnlyDictionary<string, string> known, IReadOnlyDictionary<string, string> current)
    {
        if (AreEqual(known, current))
        {
            _seen = null;
            return Verdict.Nothing;
        }
        bool isStable = _seen is not null && !wasHinted && AreEqual(_seen, current);
        if (_seen is null) _since = now;
        _seen = current;

        bool isAbsent = known.Any(file => !IsAbsent(file.Value) && IsAbsent(current.GetValueOrDefault(file.Key, FileContent.Missing)));
        TimeSpan left = _since + (isAbsent ? LongestAbsence : LongestSettling) - now;
        if ((isStable && !isAbsent) || left <= TimeSpan.Zero)
        {
            _seen = null;
            return Verdict.Ripe;
        }
        return Verdict.In(left < debounce ? left : debounce);
    }

    /// <summary>The files were read for another reason.</summary>
    public void Reset() => _seen = null;

    public static bool AreEqual(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(file => other.TryGetValue(file.Key, out string? fingerprint) && fingerprint == file.Value);

    private static bool IsAbsent(string fingerprint) => fingerprint is FileContent.Missing or FileContent.Empty;

    /// <summary>What to do after a look.</summary>
    /// <param name="IsRipe">Read now.</param>
    /// <param name="LookAgain">After this long; null: at the next hint or poll.</param>
    public readonly record struct Verdict(bool IsRipe, TimeSpan? LookAgain)
    {
        public static Verdict Nothing => new(false, null);

        public static Verdict Ripe => new(true, null);

        public static Verdict In(TimeSpan wait) => new(false, wait);
    }
}
