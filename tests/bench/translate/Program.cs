using System.Globalization;
using Aiproxy.Bench;

// translate streams  [--events 20000] [--rounds 15] [--only NAME]     all pairs and the forwarding ways, one table
// translate requests [--megabytes 20] [--images 8] [--rounds 5]       all pairs, each in a process of its own
// translate request CLIENT UPSTREAM FILE ROUNDS                       one of them; started by the above
int events = 20_000, rounds = 0, megabytes = 20, images = 8;
string only = "";
if (args is ["request", var client, var upstream, var file, var times])
{
    Console.WriteLine(await RequestRun.OnceAsync(client, upstream, file, Number(times)));
    return 0;
}
for (int i = 1; i + 1 < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--events": events = Number(args[i + 1]); break;
        case "--rounds": rounds = Number(args[i + 1]); break;
        case "--megabytes": megabytes = Number(args[i + 1]); break;
        case "--images": images = Number(args[i + 1]); break;
        case "--only": only = args[i + 1]; break;
        default: Console.Error.WriteLine($"unknown option {args[i]}"); return 2;
    }
}
switch (args.Length > 0 ? args[0] : "")
{
    case "streams": return await StreamTable.PrintAsync(events, rounds == 0 ? 15 : rounds, only) ? 0 : 1;
    case "requests": return RequestTable.Print(megabytes, images, rounds == 0 ? 5 : rounds) ? 0 : 1;
    default: Console.Error.WriteLine("usage: translate streams | requests"); return 2;
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
