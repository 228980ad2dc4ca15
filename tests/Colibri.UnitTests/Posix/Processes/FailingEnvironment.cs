using Colibri.Posix.Processes;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>Where reading an environment fails.</summary>
public enum EnvironmentStep
{
    Open,
    FirstRead,
    LaterRead,

    /// <summary>The one call of a system that has no such file.</summary>
    Sysctl,
}

/// <summary>Makes the environment of one process unreadable for as long as it is not disposed; every other one stays as it is.</summary>
/// <param name="pid">Whose.</param>
/// <param name="step">Where it fails.</param>
/// <param name="errno">Why; 0 for an environment that ends there.</param>
internal sealed class FailingEnvironment : EnvironmentCalls, IDisposable
{
    private readonly int _pid;
    private readonly EnvironmentStep _step;
    private readonly int _errno;
    private int _descriptor = -1;
    private int _reads;

    public FailingEnvironment(int pid, EnvironmentStep step, int errno)
    {
        (_pid, _step, _errno) = (pid, step, errno);
        ProcessEnvironment.Calls = this;
    }

    /// <summary>Every way in which an environment can be unreadable but for want of descriptors.</summary>
    public static List<(EnvironmentStep, int)> Failures()
    {
        var failures = new List<(EnvironmentStep, int)>();
        foreach (var step in Enum.GetValues<EnvironmentStep>())
        {
            // EPERM ENOENT ESRCH EIO ENXIO ENOEXEC EAGAIN ENOMEM EACCES EFAULT EINVAL, and one without a name.
            foreach (var errno in (int[])[1, 2, 3, 5, 6, 8, 11, 12, 13, 14, 22, 77])
                failures.Add((step, errno));
            if (step == EnvironmentStep.Open)
                continue;
            failures.Add((step, 0));
            failures.Add((step, 24));
        }
        return failures;
    }

    /// <summary>How often it has failed.</summary>
    public int Failed { get; private set; }

    public override bool AreFiles => _step != EnvironmentStep.Sysctl;

    public override int Open(int pid)
    {
        if (pid == _pid && _step == EnvironmentStep.Open)
            return Fail();
        var descriptor = base.Open(pid);
        if (descriptor >= 0 && pid == _pid)
            (_descriptor, _reads) = (descriptor, 0);
        else if (descriptor == _descriptor)
            _descriptor = -1;
        return descriptor;
    }

    public override int Read(int fd, Span<byte> buffer)
    {
        if (fd != _descriptor)
            return base.Read(fd, buffer);
        if (_step == EnvironmentStep.FirstRead || _reads++ > 0)
            return Fail();
        buffer.Fill((byte)'x');
        return buffer.Length;
    }

    public override int Sysctl(int pid, Span<byte> buffer)
    {
        if (pid == _pid)
            return Fail();
        var descriptor = base.Open(pid);
        if (descriptor < 0)
            return descriptor;
        using var file = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
        return base.Read(descriptor, buffer);
    }

    public void Dispose() => ProcessEnvironment.Calls = new EnvironmentCalls();

    private int Fail()
    {
        Failed++;
        return -_errno;
    }
}
