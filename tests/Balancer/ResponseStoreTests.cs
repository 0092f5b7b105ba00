using Aiproxy.Balancer;

namespace Aiproxy.Tests.Balancer;

public sealed class ResponseStoreTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public void AnotherClientsAnswer_IsNotFound()
    {
        var store = new ResponseStore(_clock);
        store.Put("alice", Response("resp_1"));
        Assert.True(store.TryGet("alice", "resp_1", out StoredResponse? found));
        Assert.Equal("resp_1", found.Id);
        Assert.False(store.TryGet("bob", "resp_1", out _));
        Assert.False(store.Delete("bob", "resp_1"));
        Assert.True(store.Delete("alice", "resp_1"));
        Assert.False(store.TryGet("alice", "resp_1", out _));
    }

    [Fact]
    public void OldAnswer_IsForgotten()
    {
        var store = new ResponseStore(_clock);
        store.Put("", Response("resp_1"));
        _clock.Advance(TimeSpan.FromHours(6));
        Assert.True(store.TryGet("", "resp_1", out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(store.TryGet("", "resp_1", out _));
    }

    [Fact]
    public void Bytes_AreBounded_AndNoOneAnswerTakesMoreThanItsShare()
    {
        var store = new ResponseStore(_clock, maxBytes: 10_000);
        for (int i = 0; i < 20; i++) store.Put("", Response($"resp_{i}", 1_800));
        Assert.Equal(5, store.Count);
        store.Put("", Response("resp_large", 2_400));
        Assert.False(store.TryGet("", "resp_large", out _));
        Assert.True(store.TryGet("", "resp_19", out _));
    }

    [Fact]
    public void Item_IsFound_AsLongAsItsAnswerIsKept()
    {
        var store = new ResponseStore(_clock);
        store.Put("alice", new StoredResponse("resp_1", 1, [], "{\"id\":\"rs_1\"},{\"id\":\"msg_1\",\"n\": 1}"u8.ToArray(), []));
        Assert.Equal("{\"id\":\"msg_1\",\"n\": 1}"u8.ToArray(), store.FindItem("alice", "msg_1"));
        Assert.Null(store.FindItem("alice", "msg_2"));
        Assert.Null(store.FindItem("bob", "msg_1"));
        store.Delete("alice", "resp_1");
        Assert.Null(store.FindItem("alice", "msg_1"));
    }

    private static StoredResponse Response(string id, int size = 10) => new(id, 1, new byte[size], [], []);
}
