using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class PidFileTests : IDisposable
{
    private const int MadeAnew = 118;

    private static readonly string Own = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture) + "\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-pidfile-").FullName;
    private readonly CollectingLogger _logger = new();

    private string Name => Path.Combine(_directory, "d.pid");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void It_names_the_process_and_goes_with_it()
    {
        File.WriteAllText(Name, "1234567890");
        using (var file = PidFile.Write(Name, _logger)!)
        {
            File.ReadAllText(Name).ShouldBe(Own);
            file.Look().ShouldBeNull();
        }
        File.Exists(Name).ShouldBeFalse();
        PidFile.Write(null, _logger).ShouldBeNull();
        Should.Throw<ConfigurationException>(() => PidFile.Write(Path.Combine(_directory, "none", "d.pid"), _logger));
    }

    [Test]
    public void One_that_is_gone_is_written_anew()
    {
        using (var file = PidFile.Write(Name, _logger)!)
        {
            File.Delete(Name);
            file.Look().ShouldBeNull();
            File.ReadAllText(Name).ShouldBe(Own);
            file.Look().ShouldBeNull();
            _logger.Of(MadeAnew).Count.ShouldBe(1);
        }
        File.Exists(Name).ShouldBeFalse();
    }

    [Test]
    public void Another_s_file_is_told_and_stays()
    {
        using (var file = PidFile.Write(Name, _logger)!)
        {
            File.Delete(Name);
            File.WriteAllText(Name, "4242\n");
            file.Look()!.State.ShouldBe(StatusFile.Replaced);
        }
        File.ReadAllText(Name).ShouldBe("4242\n");
    }

    [Test]
    public void A_file_that_another_has_written_to_is_told_and_stays()
    {
        using (var file = PidFile.Write(Name, _logger)!)
        {
            using (var other = new FileStream(Name, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                other.Write("4242424242\n"u8);
            file.Look()!.State.ShouldBe(StatusFile.Taken);
        }
        File.Exists(Name).ShouldBeTrue("the other one removes it");
    }

    [Test]
    public void A_directory_in_its_place_and_one_that_is_gone_are_told()
    {
        using var file = PidFile.Write(Name, _logger)!;
        File.Delete(Name);
        Directory.CreateDirectory(Name);
        file.Look()!.State.ShouldBe(StatusFile.Replaced);
        Directory.Delete(Name);
        Directory.Move(_directory, _directory + ".away");
        try
        {
            file.Look()!.State.ShouldBe(StatusFile.Gone);
        }
        finally
        {
            Directory.Move(_directory + ".away", _directory);
        }
        file.Look().ShouldBeNull();
    }
}
