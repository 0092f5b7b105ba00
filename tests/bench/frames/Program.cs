using System.Globalization;
using Aiproxy.Bench;

// frames speed [ROUNDS]          decoding beside the fastest checksum over the same bytes
// frames fuzz COUNT [SEED]       COUNT mutated bodies, the first of them with that seed
switch (args)
{
    case ["speed", ..]:
        return SpeedRun.Run(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 300);
    case ["fuzz", var count, ..]:
        return FuzzRun.Run(long.Parse(count, CultureInfo.InvariantCulture), args.Length > 2 ? ulong.Parse(args[2], CultureInfo.InvariantCulture) : 0);
    default:
        Console.Error.WriteLine("usage: frames speed [ROUNDS] | frames fuzz COUNT [SEED]");
        return 2;
}
