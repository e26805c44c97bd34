package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;

/**
 * Where a gateway listens, what it serves, and its limits.
 *
 * @param host address to bind; loopback unless the operator says otherwise
 * @param port port to bind; 0 takes a free one
 * @param modelNames names that clients may ask for; the first is the default
 * @param limits bounds on what clients may make the gateway hold
 * @param timeouts bounds on how long clients may make the gateway wait
 * @param access who is let in
 * @param oneOfSeveral whether other gateways serve the same job: then a stream that this one cuts off when it stops
 *     just ends, for its client to go on with elsewhere
 */
public record GatewayOptions(
        String host,
        int port,
        List<String> modelNames,
        Limits limits,
        Timeouts timeouts,
        Access access,
        boolean oneOfSeveral) {
    public GatewayOptions {
        requireNonNull(host, "host");
        requireNonNull(limits, "limits");
        requireNonNull(timeouts, "timeouts");
        requireNonNull(access, "access");
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port must be from 0 to 65535: " + port);
        }
        modelNames = List.copyOf(modelNames);
        if (modelNames.isEmpty() || new HashSet<>(modelNames).size() != modelNames.size()) {
            throw new IllegalArgumentException("modelNames must be different and at least one: " + modelNames);
        }
    }

    /** Loopback, a free port, and the default limits. */
    public static GatewayOptions of(String... modelNames) {
        return new GatewayOptions(
                "127.0.0.1", 0, List.of(modelNames), Limits.DEFAULT, Timeouts.DEFAULT, Access.OPEN_ON_LOOPBACK, false);
    }

    /** The same options on another address. */
    public GatewayOptions withAddress(String newHost, int newPort) {
        return new GatewayOptions(newHost, newPort, modelNames, limits, timeouts, access, oneOfSeveral);
    }

    /** The same options with other limits. */
    public GatewayOptions withLimits(Limits newLimits) {
        return new GatewayOptions(host, port, modelNames, newLimits, timeouts, access, oneOfSeveral);
    }

    /** The same options with other timeouts. */
    public GatewayOptions withTimeouts(Timeouts newTimeouts) {
        return new GatewayOptions(host, port, modelNames, limits, newTimeouts, access, oneOfSeveral);
    }

    /** The same options for who is let in. */
    public GatewayOptions withAccess(Access newAccess) {
        return new GatewayOptions(host, port, modelNames, limits, timeouts, newAccess, oneOfSeveral);
    }

    /** The same options for one of several gateways to a job. */
    public GatewayOptions asOneOfSeveral() {
        return new GatewayOptions(host, port, modelNames, limits, timeouts, access, true);
    }

    /**
     * Checks that whoever can reach the address may.
     *
     * @throws ServingException {@code INVALID_REQUEST} if other machines can, no token is asked for, and nobody said
     *     that this is meant
     */
    public void checkAccess() {
        if (!access.tokens().isEmpty() || access.insecure()) {
            return;
        }
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved() || !address.getAddress().isLoopbackAddress()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "a gateway at " + host + " would serve whoever reaches it: give it a token (--token-file), or say"
                            + " that this is meant (--insecure)");
        }
    }

    /**
     * Who is let in.
     *
     * @param tokens a request needs one of them; none is needed if there are none
     * @param insecure whether to listen on other addresses than loopback without tokens
     */
    public record Access(List<String> tokens, boolean insecure) {
        /** Everybody on this machine. */
        public static final Access OPEN_ON_LOOPBACK = new Access(List.of(), false);

        public Access {
            tokens = List.copyOf(tokens);
            for (String token : tokens) {
                if (!token.matches("[\\x21-\\x7e]{1,4096}")) {
                    // It may be a secret that went to the wrong place: it is not shown.
                    throw new IllegalArgumentException("a token must have 1 to 4096 visible ASCII characters");
                }
            }
        }

        /** Without the tokens. */
        @Override
        public String toString() {
            return "Access[" + tokens.size() + " tokens, insecure=" + insecure + "]";
        }
    }

    /**
     * Bounds on what clients may make the gateway hold.
     *
     * @param maxBodyBytes bytes of one request's body
     * @param maxPendingBodyBytes bytes of all bodies that are being received or parsed
     * @param maxMessages messages of one request
     * @param maxConnections open connections
     * @param maxOpenRequests requests to completions that have not been answered to the end, streams among them
     * @param maxTurnsKept turns that can be resumed, cancelled, or joined by their idempotency key
     * @param maxSessionsKept message prefixes by which sessions without an id are found again
     */
    public record Limits(
            int maxBodyBytes,
            long maxPendingBodyBytes,
            int maxMessages,
            int maxConnections,
            int maxOpenRequests,
            int maxTurnsKept,
            int maxSessionsKept) {
        /** What suits one host. */
        public static final Limits DEFAULT = new Limits(8 << 20, 256L << 20, 4_096, 4_096, 1_024, 4_096, 65_536);

        public Limits {
            positive(maxBodyBytes, "maxBodyBytes");
            positive(maxMessages, "maxMessages");
            positive(maxConnections, "maxConnections");
            positive(maxOpenRequests, "maxOpenRequests");
            positive(maxTurnsKept, "maxTurnsKept");
            positive(maxSessionsKept, "maxSessionsKept");
            if (maxPendingBodyBytes < maxBodyBytes) {
                throw new IllegalArgumentException("maxPendingBodyBytes must be at least maxBodyBytes (" + maxBodyBytes
                        + "): " + maxPendingBodyBytes);
            }
        }

        /** The same with another bound of open requests, and room for their connections. */
        public Limits withOpenRequests(int requests) {
            return new Limits(
                    maxBodyBytes,
                    maxPendingBodyBytes,
                    maxMessages,
                    Math.max(maxConnections, 2 * requests),
                    requests,
                    maxTurnsKept,
                    maxSessionsKept);
        }

        private static void positive(long value, String name) {
            if (value <= 0) {
                throw new IllegalArgumentException(name + " must be positive: " + value);
            }
        }
    }

    /**
     * Bounds on how long clients may make the gateway wait.
     *
     * @param request from a request's first byte of headers to the last of its body
     * @param turn from a request's arrival to the end of its turn, as long as the client waits for it
     * @param write how long a client may take nothing of what is ready for it
     * @param idle how long a connection without a request stays open
     * @param keepAlive after how long a silence a stream says a comment, so that proxies keep it open
     * @param drain how long a gateway that stops waits for open requests
     */
    public record Timeouts(
            Duration request, Duration turn, Duration write, Duration idle, Duration keepAlive, Duration drain) {
        /** What suits people and agents on ordinary networks. */
        public static final Timeouts DEFAULT = new Timeouts(
                Duration.ofSeconds(30),
                Duration.ofMinutes(30),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(15),
                Duration.ofSeconds(10));

        public Timeouts {
            positive(request, "request");
            positive(turn, "turn");
            positive(write, "write");
            positive(idle, "idle");
            positive(keepAlive, "keepAlive");
            if (drain.isNegative()) {
                throw new IllegalArgumentException("drain must not be negative: " + drain);
            }
        }

        /** The same with another time to drain. */
        public Timeouts withDrain(Duration newDrain) {
            return new Timeouts(request, turn, write, idle, keepAlive, newDrain);
        }

        private static void positive(Duration value, String name) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(name + " must be positive: " + value);
            }
        }
    }
}
