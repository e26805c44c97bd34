package io.millrace.backend.sim;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long a simulated device takes. A step of {@code n} prompt tokens and any number of decoding sequences, whose
 * blocks are a share {@code u} of all, takes the sum of
 *
 * <pre>
 *   prefill  = prefillQuadraticMs n² + prefillLinearMs n + prefillConstantMs            if n is not 0
 *   decode   = max(decodeLeastMs, decodeQuadraticMs u² + decodeLinearMs u + decodeConstantMs)
 *                                                                     if any sequence decodes
 * </pre>
 *
 * and a block takes its bytes over the link's rate. All of it is multiplied with {@code timeScale}. The constants are
 * those that a published simulator of a serving engine has as its defaults, fitted to a large model on a data centre's
 * GPU; docs/sim.md says more.
 *
 * @param timeScale 1 is the device's own time; 0 is no waiting at all
 * @param transferBytesPerSecond rate at which blocks are copied to and from the device
 * @param seed decides what follows a context; another seed is another model
 */
record SimTiming(
        double timeScale,
        double prefillQuadraticMs,
        double prefillLinearMs,
        double prefillConstantMs,
        double decodeQuadraticMs,
        double decodeLinearMs,
        double decodeConstantMs,
        double decodeLeastMs,
        double transferBytesPerSecond,
        long seed) {
    private static final double NANOS_PER_MS = 1e6;
    private static final double NANOS_PER_SECOND = 1e9;

    /** What may be set, and what it is where it is not set. */
    private static final Map<String, Double> DEFAULTS = defaults();

    SimTiming {
        check(timeScale >= 0, "time_scale", timeScale);
        check(decodeLeastMs >= 0, "decode_least_ms", decodeLeastMs);
        check(transferBytesPerSecond > 0, "transfer_bytes_per_second", transferBytesPerSecond);
    }

    private static Map<String, Double> defaults() {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("time_scale", 1.0);
        values.put("prefill_quadratic_ms", 4.209989e-07);
        values.put("prefill_linear_ms", 1.518344e-02);
        values.put("prefill_constant_ms", 16.50142);
        values.put("decode_quadratic_ms", -25.74);
        values.put("decode_linear_ms", 54.01);
        values.put("decode_constant_ms", 5.74);
        values.put("decode_least_ms", 1.0);
        values.put("transfer_bytes_per_second", 64e9);
        values.put("seed", 0.0);
        return values;
    }

    /**
     * Reads the settings of an instance.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the setting, if there is none of its name or its value is
     *     no number that it may have
     */
    static SimTiming of(Map<String, String> parameters) {
        Map<String, Double> values = new LinkedHashMap<>(DEFAULTS);
        parameters.forEach((name, text) -> {
            if (!DEFAULTS.containsKey(name)) {
                throw invalid(name, "there is no parameter " + name + "; there are " + DEFAULTS.keySet());
            }
            values.put(name, number(name, text));
        });
        return new SimTiming(
                value(values, "time_scale"),
                value(values, "prefill_quadratic_ms"),
                value(values, "prefill_linear_ms"),
                value(values, "prefill_constant_ms"),
                value(values, "decode_quadratic_ms"),
                value(values, "decode_linear_ms"),
                value(values, "decode_constant_ms"),
                value(values, "decode_least_ms"),
                value(values, "transfer_bytes_per_second"),
                (long) value(values, "seed"));
    }

    /**
     * Nanoseconds of a step.
     *
     * @param prefillTokens prompt tokens that it computes
     * @param decodes whether sequences decode in it
     * @param usedRatio the share of all blocks that its sequences have, 0 to 1
     */
    long stepNanos(int prefillTokens, boolean decodes, double usedRatio) {
        double ms = 0;
        if (prefillTokens > 0) {
            double n = prefillTokens;
            ms += prefillQuadraticMs * n * n + prefillLinearMs * n + prefillConstantMs;
        }
        if (decodes) {
            double u = Math.min(1, usedRatio);
            ms += Math.max(decodeLeastMs, decodeQuadraticMs * u * u + decodeLinearMs * u + decodeConstantMs);
        }
        return (long) (Math.max(0, ms) * timeScale * NANOS_PER_MS);
    }

    /** Nanoseconds of a copy. */
    long transferNanos(long bytes) {
        return (long) (bytes / transferBytesPerSecond * timeScale * NANOS_PER_SECOND);
    }

    private static double value(Map<String, Double> values, String name) {
        Double value = values.get(name);
        if (value == null) {
            throw new IllegalStateException("no value of " + name);
        }
        return value;
    }

    private static double number(String name, String text) {
        double number;
        try {
            number = Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            number = Double.NaN;
        }
        if (!Double.isFinite(number)) {
            throw invalid(name, "parameter " + name + " must be a number, not \"" + text + "\"");
        }
        return number;
    }

    private static void check(boolean holds, String name, double value) {
        if (!holds) {
            throw invalid(name, "parameter " + name + " is out of its range: " + value);
        }
    }

    private static ServingException invalid(String name, String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, "backend sim: " + message, name, null);
    }
}
