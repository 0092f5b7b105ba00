using System.Globalization;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Keeps the images of a conversation to what the service takes.</summary>
public static class KiroImages
{
    /// <summary>What is too much goes from the oldest message on, and a word stands in its place; the current message keeps all of its own.</summary>
    /// <exception cref="ProtocolException">The current message alone has too many, or one that is too large.</exception>
    public static void Limit(List<KiroMessage> messages, KiroTraits traits)
    {
        KiroMessage current = messages[^1];
        if (current.Images.Find(image => image.Bytes > traits.Limits.MaxImageBytes) is { } large)
        {
            throw new ProtocolException(ErrorKind.TooLarge,
                string.Create(CultureInfo.InvariantCulture, $"{large.Path}: an image of {large.Bytes} bytes, the upstream takes {traits.Limits.MaxImageBytes} at most"), large.Path);
        }
        int left = traits.Limits.MaxImages - current.Images.Count;
        if (left < 0)
        {
            string path = current.Images[traits.Limits.MaxImages].Path;
            throw new ProtocolException(ErrorKind.InvalidRequest, $"{path}: the upstream takes {traits.Limits.MaxImages} images at most", path);
        }
        for (int at = messages.Count - 2; at >= 0; at--)
        {
            KiroMessage message = messages[at];
            int dropped = message.Images.RemoveAll(image => image.Bytes > traits.Limits.MaxImageBytes);
            while (message.Images.Count > left)
            {
                message.Images.RemoveAt(0);
                dropped++;
            }
            left -= message.Images.Count;
            for (; dropped > 0; dropped--) message.Texts.Add(traits.Texts.ImageOmitted);
        }
    }
}
