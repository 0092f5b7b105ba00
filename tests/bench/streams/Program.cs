using System.Globalization;
using Aiproxy.Bench;

// streams --upstream PORT --target NAME=PORT@PID ... [--streams 200,1000] [--rate 20] [--seconds 10] [--rounds 1]
// PID 0: nobody's processor time is counted (straight to the upstream).
var targets = new List<Target>();
int upstreamPort = 0, rate = 20, seconds = 10, rounds = 1;
int[] counts = [200, 1000];
for (var i = 0; i + 1 < args.Length; i += 2)
{
    var value = args[i + 1];
    switch (args[i])
    {
        case "--upstream": upstreamPort = Number(value); break;
        case "--target": targets.Add(Target.Parse(value)); break;
        case "--streams": counts = [.. value.Split(',').Select(Number)]; break;
        case "--rate": rate = Number(value); break;
        case "--seconds": seconds = Number(value); break;
        case "--rounds": rounds = Number(value); break;
        default: Console.Error.WriteLine($"unknown option {args[i]}"); return 2;
    }
}

using var upstream = new PacedUpstream(upstreamPort, rate);
upstream.Start();
Console.WriteLine($"{"",-10} {"streams",8} {"events/s",10} {"of sent",8} {"CPU us/event",13} {"delay p50 ms",13} {"p99 ms",8} {"KB a stream",12} {"broken",7}");
var failed = false;
foreach (var count in counts)
{
    for (var round = 0; round < rounds; round++)
    {
        foreach (var target in targets)
        {
            var result = await StreamLoad.RunAsync(target, upstream, count, TimeSpan.FromSeconds(seconds));
            failed |= result.Broken > 0;
            Console.WriteLine(result.ToLine());
        }
    }
}

return failed ? 1 : 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
