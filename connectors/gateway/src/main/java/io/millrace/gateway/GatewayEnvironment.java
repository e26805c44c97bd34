package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import java.security.SecureRandom;
import java.time.Clock;
import java.util.HexFormat;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What a gateway takes from the world outside.
 *
 * @param clock the time of day, for timestamps that clients and metrics see
 * @param nanoTime a monotonic clock, for timeouts
 * @param newId a new identifier at each call: printable, without colon or slash, not to be guessed
 */
public record GatewayEnvironment(Clock clock, LongSupplier nanoTime, Supplier<String> newId) {
    private static final int ID_BYTES = 16;

    public GatewayEnvironment {
        requireNonNull(clock, "clock");
        requireNonNull(nanoTime, "nanoTime");
        requireNonNull(newId, "newId");
    }

    /** The system's clocks and its secure random numbers. */
    public static GatewayEnvironment system() {
        SecureRandom random = new SecureRandom();
        return new GatewayEnvironment(Clock.systemUTC(), System::nanoTime, () -> {
            byte[] id = new byte[ID_BYTES];
            random.nextBytes(id);
            return HexFormat.of().formatHex(id);
        });
    }
}
