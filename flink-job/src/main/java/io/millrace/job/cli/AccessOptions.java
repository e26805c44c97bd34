package io.millrace.job.cli;

import io.millrace.gateway.GatewayOptions.Access;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who a gateway lets in. */
final class AccessOptions {
    /** The environment variable that has tokens, with commas between them. */
    static final String TOKENS_VARIABLE = "MILLRACE_GATEWAY_TOKENS";

    private static final int TOKENS_MAX = 10_000;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description =
                    "A token that requests must bring (Authorization: Bearer); may be repeated. Other users of this"
                            + " machine can see it: --token-file and " + TOKENS_VARIABLE + " are not seen.")
    private List<String> tokens = new ArrayList<>();

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "A file of such tokens, one a line; lines that begin with # are none.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--insecure",
            description = "Listens on other addresses than loopback without a token: whoever reaches it is served.")
    private boolean insecure;

    /**
     * What options, file and environment say.
     *
     * @throws ServingException {@code INVALID_REQUEST} if the file cannot be read or has none, or a token cannot be one
     */
    Access access(Map<String, String> environment) {
        List<String> all = new ArrayList<>(tokens);
        for (String token : environment.getOrDefault(TOKENS_VARIABLE, "").split(",", -1)) {
            if (!token.isBlank()) {
                all.add(token.strip());
            }
        }
        if (tokenFile != null) {
            all.addAll(read(tokenFile));
        }
        try {
            return new Access(all, insecure);
        } catch (IllegalArgumentException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, String.valueOf(e.getMessage()), e);
        }
    }

    private static List<String> read(Path file) {
        try {
            List<String> read = Files.readAllLines(file).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .limit(TOKENS_MAX + 1L)
                    .toList();
            if (read.isEmpty() || read.size() > TOKENS_MAX) {
                // Without this an empty file would open the gateway to everybody.
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "the token file " + file + " must have 1 to " + TOKENS_MAX + " tokens, one a line");
            }
            return read;
        } catch (IOException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "the token file " + file + " cannot be read: " + e, e);
        }
    }
}
