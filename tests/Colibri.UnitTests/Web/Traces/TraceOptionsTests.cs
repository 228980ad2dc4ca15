using Colibri.Web.Traces;

namespace Colibri.UnitTests.Web.Traces;

public sealed class TraceOptionsTests
{
    [Test]
    public void The_variables_alone_switch_nothing_on()
    {
        TraceOptions.Read(null, Environment(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"))).ShouldBe((null, null));
        TraceOptions.Read(null, Environment(("COLIBRI_WEB_OTLP", "0"))).ShouldBe((null, null));
    }

    [Test]
    [Arguments("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces")]
    [Arguments("http://localhost:4318/", "http://127.0.0.1:4318/v1/traces")]
    [Arguments("http://[::1]:4318", "http://[::1]:4318/v1/traces")]
    [Arguments("http://127.0.0.1:4318/otlp", "http://127.0.0.1:4318/otlp/v1/traces")]
    [Arguments("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces")]
    public void The_option_is_the_address_of_a_collector_on_this_machine(string said, string address) =>
        TraceOptions.Read(said, Environment(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"))).Options!.Address.ShouldBe(address);

    [Test]
    public void The_switch_takes_all_from_the_variables()
    {
        var options = TraceOptions.Read(null, Environment(("COLIBRI_WEB_OTLP", "1"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9/a"), ("OTEL_SERVICE_NAME", "night"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b, other=c=d"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"))).Options!;
        options.Address.ShouldBe("http://127.0.0.1:9/a/v1/traces");
        options.Service.ShouldBe("night");
        options.Headers.ShouldBe([("x-key", "a b"), ("other", "c=d")]);
        TraceOptions.Read(null, Environment(("COLIBRI_WEB_OTLP", "1"))).Options!.Address.ShouldBe("http://127.0.0.1:4318/v1/traces");
        TraceOptions.Read(null, Environment(("COLIBRI_WEB_OTLP", "1"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/mine"))).Options!.Address.ShouldBe("http://127.0.0.1:9/mine");
    }

    [Test]
    [Arguments("https://127.0.0.1:4318", "--otlp https://127.0.0.1:4318: no TLS is spoken here (name a collector on this machine, as http://127.0.0.1:4318, which passes traces on)")]
    [Arguments("http://collector.example:4318", "--otlp http://collector.example:4318 is beyond this machine: name a collector on it, as http://127.0.0.1:4318, which passes traces on")]
    [Arguments("http://192.0.2.1:4318", "--otlp http://192.0.2.1:4318 is beyond this machine: name a collector on it, as http://127.0.0.1:4318, which passes traces on")]
    [Arguments("127.0.0.1:4318", "--otlp 127.0.0.1:4318: not an address such as http://127.0.0.1:4318")]
    [Arguments("http://user:word@127.0.0.1:4318", "--otlp http://user:word@127.0.0.1:4318: not an address such as http://127.0.0.1:4318")]
    public void Another_address_is_refused_in_one_line(string said, string problem) => TraceOptions.Read(said, Environment()).ShouldBe((null, problem));

    [Test]
    [Arguments("COLIBRI_WEB_OTLP", "yes", "COLIBRI_WEB_OTLP=yes: not 1 or 0")]
    [Arguments("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces are sent as http/protobuf alone")]
    [Arguments("OTEL_EXPORTER_OTLP_HEADERS", "secret", "OTEL_EXPORTER_OTLP_HEADERS: not name=value, with commas between")]
    [Arguments("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0d%0aHost: evil", "OTEL_EXPORTER_OTLP_HEADERS: not name=value, with commas between")]
    public void A_wrong_variable_is_refused_without_a_word_of_a_secret(string name, string value, string problem) =>
        TraceOptions.Read("http://127.0.0.1:4318", Environment((name, value))).ShouldBe((null, problem));

    private static Func<string, string?> Environment(params (string Name, string Value)[] variables) => name => variables.Where(each => each.Name == name).Select(each => each.Value).FirstOrDefault();
}
