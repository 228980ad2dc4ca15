using System.Buffers;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>list-tasks</c>, one page or all of them.</summary>
internal static class TaskPages
{
    public static async Task<int> RunAsync(CliSession session, CommandRequest request, bool all)
    {
        using var client = await session.ConnectAsync().ConfigureAwait(false);
        List<BoardTask> tasks = [];
        var merged = new ArrayBufferWriter<byte>();
        while (true)
        {
            var reply = CliSession.Accepted(await client.SendAsync(request, null, session.Cancellation).ConfigureAwait(false));
            if (!all && session.Json)
            {
                session.Screen.Raw(reply.Data);
                return ExitCodes.Done;
            }
            var page = reply.Read(ProtocolJson.Wire.TaskList);
            if (!all)
            {
                TaskView.List(session.Screen, page, request);
                return ExitCodes.Done;
            }
            if (session.Json)
                AppendTasks(merged, reply.Data);
            else
                tasks.AddRange(page.Tasks);
            // A cursor that does not move would ask for ever.
            if (page.Next is null || (request.After is [var last] && page.Next == last))
                break;
            request = request with { After = [page.Next] };
        }
        if (session.Json)
            session.Screen.Raw(Closed(merged));
        else
            TaskView.List(session.Screen, new TaskList(tasks), request);
        return ExitCodes.Done;
    }

    // As the daemon wrote each task, fields this program does not know included.
    private static void AppendTasks(ArrayBufferWriter<byte> merged, ReadOnlyMemory<byte> data)
    {
        using var document = JsonDocument.Parse(data);
        foreach (var task in document.RootElement.GetProperty("tasks").EnumerateArray())
        {
            merged.Write(merged.WrittenCount == 0 ? "{\"tasks\":["u8 : ","u8);
            merged.Write(System.Text.Encoding.UTF8.GetBytes(task.GetRawText()));
        }
    }

    private static ReadOnlyMemory<byte> Closed(ArrayBufferWriter<byte> merged)
    {
        merged.Write(merged.WrittenCount == 0 ? "{\"tasks\":[]}"u8 : "]}"u8);
        return merged.WrittenMemory;
    }
}
