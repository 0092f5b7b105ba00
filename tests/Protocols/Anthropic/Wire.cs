using System.Buffers;
using System.Text;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

/// <summary>Feeds readers and takes bytes from writers.</summary>
public static class Wire
{
    public const string Seed = "abcdefghijklmnopqrstuvwx";

    public static string Fixture(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", name));

    public static WriterOptions Options(bool stream = true, bool array = false, ChatRequest? request = null) =>
        new() { Stream = stream, JsonArray = array, Model = "client-model", Created = 1, IdSeed = Seed, Request = request };

    /// <summary>Event name and data of each event; blocks that hold no data line are left out.</summary>
    public static List<(string Event, string Data)> Events(string sse)
    {
        var events = new List<(string, string)>();
        foreach (string block in sse.ReplaceLineEndings("\n").Split("\n\n"))
        {
            string name = "";
            var data = new List<string>();
            foreach (string line in block.Split('\n'))
            {
                if (line.StartsWith("event:", StringComparison.Ordinal)) name = line[6..].Trim();
                if (line.StartsWith("data:", StringComparison.Ordinal)) data.Add(line[5..].TrimStart(' '));
            }
            if (data.Count > 0) events.Add((name, string.Join('\n', data)));
        }
        return events;
    }

    public static void Push(IResponseReader reader, string data, string name = "")
    {
        var frame = new Frame { Event = Encoding.UTF8.GetBytes(name), Data = Encoding.UTF8.GetBytes(data) };
        reader.Read(in frame);
    }

    /// <summary>Reads a stream to its end.</summary>
    public static T Read<T>(IUpstreamProtocol protocol, string sse, T sink) where T : IResponseSink
    {
        IResponseReader reader = protocol.CreateReader(sink);
        foreach ((string name, string data) in Events(sse)) Push(reader, data, name);
        reader.Complete();
        return sink;
    }

    public static SinkRecorder Read(IUpstreamProtocol protocol, string sse) => Read(protocol, sse, new SinkRecorder());

    public static SinkRecorder ReadWhole(IUpstreamProtocol protocol, string json)
    {
        var recorder = new SinkRecorder();
        protocol.CreateReader(recorder).ReadWhole(Encoding.UTF8.GetBytes(json));
        return recorder;
    }

    /// <summary>What a client is sent for a series of sink calls.</summary>
    public static string Write(IClientProtocol protocol, WriterOptions options, Action<IResponseWriter> calls)
    {
        var output = new ArrayBufferWriter<byte>();
        calls(protocol.CreateWriter(output, options));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static string Text(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>One of many small damages: bytes flipped, cut out, doubled, or replaced by JSON punctuation.</summary>
    public static byte[] Mutate(byte[] data, Random random)
    {
        var bytes = new List<byte>(data);
        for (int times = random.Next(1, 4); times > 0 && bytes.Count > 2; times--)
        {
            int at = random.Next(bytes.Count - 1), length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 3: bytes[at] = "{}[],:\"\\0tn"u8.ToArray()[random.Next(11)]; break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }
}
