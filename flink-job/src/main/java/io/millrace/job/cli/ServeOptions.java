package io.millrace.job.cli;

import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where a served job listens. */
final class ServeOptions {
    @Option(names = "--host", paramLabel = "ADDRESS", description = "Where to listen (default: 127.0.0.1).")
    private String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "N", description = "The gateway's port; 0 is any free one (default: 8080).")
    private int port = 8080;

    @Option(
            names = "--web-port",
            paramLabel = "N",
            description = "The port of Flink's web interface, or a range (default: 8081-8099).")
    private String webPort = "8081-8099";

    @Mixin
    private final AccessOptions access = new AccessOptions();

    EmbeddedJob.Addresses addresses(Map<String, String> environment) {
        return new EmbeddedJob.Addresses(host, port, webPort, access.access(environment));
    }
}
