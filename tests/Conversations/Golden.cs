namespace Aiproxy.Tests.Conversations;

/// <summary>Expected bytes in a file beside the case. Written only where the environment has <c>UPDATE_GOLDEN=1</c>; read the difference before committing it.</summary>
public static class Golden
{
    public static void Check(string file, byte[] actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllBytes(Path.Combine(ConversationCase.SourceFolder(), file), actual);
            return;
        }
        string path = Path.Combine(ConversationCase.Folder, file);
        Assert.True(File.Exists(path), $"{file} is missing: run once with UPDATE_GOLDEN=1, and read what it wrote");
        Assert.Equal(System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(path)), System.Text.Encoding.UTF8.GetString(actual));
    }
}
