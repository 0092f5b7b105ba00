namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Turns a plan into what a service sends.</summary>
public static class ServicePlay
{
    public static FakeAnswer Answer(IModelService service, Plan plan, RecordedRequest request)
    {
        string words = plan.WordsFor(request);
        switch (plan.Saying)
        {
            case Saying.Unauthorized:
                return service.Unauthorized(words);
            case Saying.Limited or Saying.Quota or Saying.Overloaded or Saying.Invalid or Saying.TooLong or Saying.Forbidden or Saying.UnknownModel:
                return service.Error(plan.Saying, words);
            default:
                return service.IsStream(request) ? Streamed(service, plan, request) : Whole(service, plan, request);
        }
    }

    private static FakeAnswer Streamed(IModelService service, Plan plan, RecordedRequest request)
    {
        ServiceStream stream = service.Stream(plan.Saying is Saying.Tool or Saying.Thinking ? plan.Saying : Saying.Text, request);
        return FakeAnswer.Script(async answer =>
        {
            await answer.HeadAsync(200, ("Content-Type", service.ContentType), ("Transfer-Encoding", "chunked"));
            IEnumerable<byte[]> first = plan.Saying switch
            {
                Saying.FailsFirst or Saying.CutFirst => stream.Opening,
                Saying.FailsLater or Saying.CutLater or Saying.Stalls => stream.Beginning,
                _ => [.. stream.Opening, .. stream.Output, .. stream.Ending],
            };
            foreach (byte[] frame in first) await answer.ChunkAsync(frame);
            if (plan.Saying == Saying.Stalls) await answer.StallAsync();
            if (plan.Saying is Saying.FailsLater or Saying.CutLater) await answer.GateAsync(plan.Gate);
            if (plan.Saying is Saying.FailsFirst or Saying.FailsLater) await answer.ChunkAsync(service.ErrorFrame(plan.WordsFor(request)));
            if (plan.Saying is Saying.CutFirst or Saying.CutLater)
            {
                await answer.RawAsync("40\r\nhalf a chunk");
                answer.Close();
                return;
            }
            await answer.EndAsync();
        });
    }

    private static FakeAnswer Whole(IModelService service, Plan plan, RecordedRequest request)
    {
        if (plan.Saying == Saying.Stalls) return FakeAnswer.Silence();
        if (plan.Saying is Saying.FailsFirst or Saying.FailsLater) return service.Error(Saying.Overloaded, plan.WordsFor(request));
        string body = service.Whole(plan.Saying is Saying.Tool or Saying.Thinking ? plan.Saying : Saying.Text, request) ?? throw new InvalidDataException("this service only streams");
        if (plan.Saying is not (Saying.CutFirst or Saying.CutLater)) return FakeAnswer.Json(body);
        return FakeAnswer.Script(async answer =>
        {
            await answer.HeadAsync(200, ("Content-Type", "application/json"), ("Content-Length", body.Length.ToString()));
            await answer.RawAsync(body[..(body.Length / 2)]);
            answer.Close();
        });
    }
}
