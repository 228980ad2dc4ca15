using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Sessions.Generations;

namespace Colibri.UnitTests.Sessions.Prompts;

public sealed class PromptAssemblerTests
{
    // What caches in the field hold: a change here costs every one of them.
    // The native daemon, of another target framework, is held to the same hash in CostModeTests.
    private const string BuiltInSha256 = "82f1bb2ed1380a87a300255d02c02759ded159764c9998feee1fb5f757fe9405";

    [Test]
    public void The_built_in_prefix_is_the_one_it_always_was()
    {
        PromptPrefix.BuiltIn.Sha256.ShouldBe(BuiltInSha256);
        PromptPrefix.BuiltIn.Bytes.ShouldBe(Encoding.UTF8.GetByteCount(PromptPrefix.BuiltIn.Text));
    }

    [Test]
    public async Task The_prefix_is_the_same_in_every_session_and_mode()
    {
        var prefixes = new HashSet<string>();
        foreach (var mode in Enum.GetValues<CostMode>())
        {
            using var session = new CompactionFixture(mode);
            await session.AppendAsync(SessionEntryKind.User, mode.ToString());
            var prompt = Assembler(session).Assemble(CompactionFixture.Id, "scratch")!;
            prompt.Messages[0].Role.ShouldBe("system");
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt.Messages[0].Content))).ShouldBe(prompt.PrefixSha256);
            prefixes.Add(prompt.PrefixSha256);
        }
        prefixes.ShouldHaveSingleItem().ShouldBe(PromptPrefix.BuiltIn.Sha256);
    }

    [Test]
    public async Task The_next_prompt_of_a_growing_session_begins_with_the_one_before()
    {
        using var session = new CompactionFixture();
        var assembler = Assembler(session);
        await session.AppendAsync(SessionEntryKind.User, "Mend \"the lamp\" <now> é 😀");
        var before = Canonical(assembler.Assemble(CompactionFixture.Id, null)!);
        for (var i = 0; i < 10; i++)
        {
            await session.AppendAsync(i % 2 == 0 ? SessionEntryKind.ToolResult : SessionEntryKind.Assistant, $"step {i}");

            var after = Canonical(assembler.Assemble(CompactionFixture.Id, null)!);

            // All but the bracket that closes the array.
            after.AsSpan().StartsWith(before.AsSpan()[..^1]).ShouldBeTrue();
            before = after;
        }
    }

    [Test]
    public async Task It_counts_the_bytes_of_its_canonical_form_and_a_token_for_each_four()
    {
        using var session = new CompactionFixture();
        await session.AppendAsync(SessionEntryKind.User, "one \"two\" é");
        await session.AppendAsync(SessionEntryKind.Note, "three");

        var prompt = Assembler(session).Assemble(CompactionFixture.Id, "now")!;

        prompt.TotalBytes.ShouldBe(Canonical(prompt).Length);
        prompt.EstimatedTokens.ShouldBe((prompt.TotalBytes + 3) / 4);
        prompt.Trimmed.ShouldBe(0);
        prompt.Messages.Skip(1).ShouldBe([new("user", "one \"two\" é"), new("user", "Note: three"), new("user", "now")]);
    }

    [Test]
    public async Task Beyond_the_budget_the_scratch_goes_first_then_the_oldest_and_never_the_prefix()
    {
        using var session = new CompactionFixture(CostMode.Max);
        foreach (var name in (string[])["a", "b", "c"])
            await session.AppendAsync(SessionEntryKind.User, name + new string('x', 200_000));
        var assembler = Assembler(session);
        session.Cost.Set(CostMode.Fast);

        var prompt = assembler.Assemble(CompactionFixture.Id, "now")!;

        prompt.Trimmed.ShouldBe(2);
        prompt.Messages.Select(message => message.Content[0]).ShouldBe([PromptPrefix.BuiltIn.Text[0], 'b', 'c']);
        prompt.TotalBytes.ShouldBe(Canonical(prompt).Length);
        prompt.TotalBytes.ShouldBeLessThanOrEqualTo(500_000);
        Canonical(assembler.Assemble(CompactionFixture.Id, "now")!).ShouldBe(Canonical(prompt));
        session.Cost.Set(CostMode.Max);
        assembler.Assemble(CompactionFixture.Id, "now")!.Trimmed.ShouldBe(0);
        // With room for the log alone, only the scratch goes.
        assembler.Assemble(CompactionFixture.Id, new string('y', 8_000_000))!.Messages.Count.ShouldBe(4);
    }

    [Test]
    public void A_session_that_is_not_there_makes_no_prompt()
    {
        using var session = new CompactionFixture();
        Assembler(session).Assemble(CompactionFixture.Id, "now").ShouldBeNull();
    }

    [Test]
    public void A_prefix_file_is_taken_byte_for_byte_and_one_that_cannot_be_is_refused_by_name()
    {
        using var session = new CompactionFixture();
        Directory.CreateDirectory(session.Root);
        var path = Path.Combine(session.Root, "prefix");
        var words = "\uFEFFOur house\r\nrules é\n"u8.ToArray();
        File.WriteAllBytes(path, words);

        var prefix = PromptPrefix.Load(path);

        Encoding.UTF8.GetBytes(prefix.Text).ShouldBe(words);
        (prefix.Bytes, prefix.Sha256).ShouldBe((words.Length, Convert.ToHexStringLower(SHA256.HashData(words))));
        File.WriteAllBytes(path, [0xC3]);
        foreach (var bad in (string[])[path, path + ".absent", session.Root])
            Should.Throw<ConfigurationException>(() => PromptPrefix.Load(bad)).Message.ShouldStartWith($"COLIBRI_PROMPT_PREFIX_FILE={bad}"[..60]);
    }

    [Test]
    public async Task As_one_text_it_ends_in_the_prompt_and_keeps_its_bound()
    {
        using var session = new CompactionFixture();
        var assembler = Assembler(session);
        assembler.Introduce(CompactionFixture.Id, "Go on", 100_000).ShouldBe("Go on");
        await session.AppendAsync(SessionEntryKind.User, "Mend the lamp");
        await session.AppendAsync(SessionEntryKind.ToolCall, "{}");
        await session.AppendAsync(SessionEntryKind.ToolResult, "dark\0er");
        await session.AppendAsync(SessionEntryKind.Question, "Which?");
        await session.AppendAsync(SessionEntryKind.Answer, "red");

        var text = assembler.Introduce(CompactionFixture.Id, "Go on", 100_000);

        text.ShouldBe(PromptPrefix.BuiltIn.Text + "\n\n[user]\nMend the lamp\n\n[assistant]\ncalls tool:\n{}\n\n[tool]\nbash:\ndarker\n\n[assistant]\nasks:\nWhich?\n\n[user]\nanswers: red\n\n[task]\nGo on");
        // Skills stand behind the prefix, which stays what a provider has cached.
        var skilled = assembler.Introduce(CompactionFixture.Id, "Go on", 100_000, [new Skill("dig", "Digs", "", default)]);
        skilled.ShouldStartWith(PromptPrefix.BuiltIn.Text + "\n\n[skills]\n");
        skilled.ShouldContain("\n- dig: Digs\n\n[user]\nMend the lamp");
        for (var i = 0; i < 15; i++)
            await session.AppendAsync(SessionEntryKind.ToolResult, new string('\\', 15_000));
        var bounded = assembler.Introduce(CompactionFixture.Id, "Go on", 100_000);
        Encoding.UTF8.GetByteCount(bounded).ShouldBeInRange(PromptPrefix.BuiltIn.Bytes + 15_000, 100_000);
        assembler.Introduce(CompactionFixture.Id, "Go on", 500).ShouldBe("Go on");
        assembler.Introduce(CompactionFixture.Id, "Go on", 500, [new Skill("dig", "Digs", "", default)]).ShouldEndWith("\n- dig: Digs\n\n[task]\nGo on");
    }

    private static PromptAssembler Assembler(CompactionFixture session) => new(session.Store, session.Cost, PromptPrefix.BuiltIn);

    private static byte[] Canonical(AssembledPrompt prompt)
    {
        using var reply = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(prompt, ProtocolJson.Wire.AssembledPrompt));
        return Encoding.UTF8.GetBytes(reply.RootElement.GetProperty("messages").GetRawText());
    }
}
