using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Bounded waiting for another process. Only the harness may look at the real clock.</summary>
public static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan patience, Func<string> what)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > patience) Assert.Fail($"{what()} (waited {patience.TotalSeconds:0.#} s)");
            await Task.Delay(15);
        }
    }

    public static Task TrueAsync(Func<bool> condition, TimeSpan patience, Func<string> what) =>
        TrueAsync(() => Task.FromResult(condition()), patience, what);

    /// <summary>Waits for a task that another process must bring to its end.</summary>
    public static async Task<T> InTimeAsync<T>(this Task<T> task, TimeSpan patience, string what)
    {
        if (await Task.WhenAny(task, Task.Delay(patience)) != task) Assert.Fail($"{what} (waited {patience.TotalSeconds:0.#} s)");
        return await task;
    }

    public static async Task InTimeAsync(this Task task, TimeSpan patience, string what)
    {
        if (await Task.WhenAny(task, Task.Delay(patience)) != task) Assert.Fail($"{what} (waited {patience.TotalSeconds:0.#} s)");
        await task;
    }
}
