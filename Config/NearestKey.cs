namespace Aiproxy.Config;

/// <summary>The legal word that a mistyped one most likely means.</summary>
public static class NearestKey
{
    private const int LongestWord = 40;

    /// <summary>null when nothing is near: more than a third of the letters would have to change.</summary>
    public static string? Find(string word, IEnumerable<string> legal)
    {
        if (word.Length > LongestWord) return null;
        string wanted = Plain(word);
        return legal
            .Select(candidate => (candidate, distance: Distance(wanted, Plain(candidate))))
            .Where(pair => pair.distance <= Math.Max(1, Math.Min(wanted.Length, pair.candidate.Length) / 3))
            .OrderBy(pair => pair.distance)
            .Select(pair => pair.candidate)
            .FirstOrDefault();
    }

    /// <summary>Letters to add, drop, change or swap with their neighbour (optimal string alignment).</summary>
    public static int Distance(string from, string to)
    {
        int[,] cost = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++) cost[i, 0] = i;
        for (int j = 0; j <= to.Length; j++) cost[0, j] = j;
        for (int i = 1; i <= from.Length; i++)
        {
            for (int j = 1; j <= to.Length; j++)
            {
                int change = from[i - 1] == to[j - 1] ? 0 : 1;
                int best = Math.Min(cost[i - 1, j - 1] + change, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                cost[i, j] = swapped ? Math.Min(best, cost[i - 2, j - 2] + 1) : best;
            }
        }
        return cost[from.Length, to.Length];
    }

    private static string Plain(string word) => word.ToLowerInvariant().Replace('-', '_');
}
