using System.Net.Sockets;
using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Web;

/// <summary>colibri-web as a program: its options, its exit status, its files.</summary>
public sealed class WebProgramTests
{
    private static string Program => Repository.Binary("colibri-web");

    [Test]
    [Arguments("--listen 0.0.0.0:7766")]
    [Arguments("--nonsense")]
    [Arguments("--token-file")]
    [Arguments("--otlp https://127.0.0.1:4318")]
    [Arguments("--otlp http://collector.example:4318")]
    public async Task A_wrong_option_is_one_line_and_status_2(string line)
    {
        var finished = await Launch.ToEndAsync(Program, line.Split(' '));
        finished.ExitCode.ShouldBe(2);
        finished.Stdout.ShouldBe("");
        finished.ErrorLines.Single().ShouldStartWith("colibri-web: ");
    }

    [Test]
    public async Task It_says_its_version_and_its_options()
    {
        (await Launch.ToEndAsync(Program, ["--version"])).Stdout.ShouldStartWith("colibri-web 0.");
        (await Launch.ToEndAsync(Program, ["--help"])).Stdout.ShouldContain("--behind-proxy");
    }

    [Test]
    public async Task A_token_that_others_may_read_and_an_address_that_is_taken_end_it_in_one_line()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("token"), new string('a', 64));
        File.SetUnixFileMode(directory.File("token"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var token = await Launch.ToEndAsync(Program, ["--write", "--listen", "127.0.0.1:0", "--token-file", directory.File("token")]);
        token.ExitCode.ShouldBe(1);
        token.ErrorLines.Single().ShouldContain("chmod 600");

        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var address = await Launch.ToEndAsync(Program, ["--listen", taken.LocalEndpoint.ToString()!]);
        address.ExitCode.ShouldBe(1);
        address.ErrorLines.Single().ShouldContain("cannot listen on 127.0.0.1:");
    }

    [Test]
    public async Task A_unix_socket_is_its_users_alone_a_left_one_is_taken_over_and_the_end_removes_it()
    {
        using var directory = new TempDirectory();
        var path = directory.File("web.sock");
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(path));
            File.Move(path, path + ".left");
        }
        File.Move(path + ".left", path);
        using var process = System.Diagnostics.Process.Start(Launch.Prepare(Program, ["--listen", $"unix:{path}", "--socket", directory.File("none")], new Dictionary<string, string?> { ["HOME"] = directory.Path }))!;
        (await Eventually.WithinAsync(process.StandardOutput.ReadLineAsync(), "it listens")).ShouldNotBeNull().ShouldContain(path);
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await AskAsync(path, "localhost:9000")).ShouldStartWith("HTTP/1.1 200");
        (await AskAsync(path, "evil.example")).ShouldStartWith("HTTP/1.1 421");
        await Launch.SignalAsync(process.Id, "TERM");
        await process.WaitForExitAsync().WaitAsync(Eventually.Deadline);
        process.ExitCode.ShouldBe(0);
        File.Exists(path).ShouldBeFalse();
    }

    private static async Task<string> AskAsync(string path, string host)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /inbox HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await Eventually.WithinAsync(reader.ReadToEndAsync(), "an answer");
    }
}
