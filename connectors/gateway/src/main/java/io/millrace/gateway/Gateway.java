package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.common.util.EventLoopGroups;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import io.millrace.connector.port.RequestPort;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server that speaks OpenAI's chat completions to clients, and requests and token chunks to the job. See
 * docs/http-api.md for the interface.
 */
public final class Gateway implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
    private static final int IO_THREADS = 2;
    private static final int PARSER_THREADS = 2;
    private static final long LAST_WORDS_MS = 1_000;
    private static final int MAX_HEADER_BYTES = 16 * 1024;

    private final GatewayOptions options;
    private final OpenRequests openRequests;
    private final TurnReaders readers;
    private final EventLoopGroup ioThreads;
    private final Server server;

    /**
     * A gateway to a job, not started yet.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if it were open to other machines without a token
     */
    public Gateway(GatewayOptions options, RequestPort port) {
        this(options, port, GatewayEnvironment.system());
    }

    /** A gateway with clocks and identifiers of the caller's choice. */
    public Gateway(GatewayOptions options, RequestPort port, GatewayEnvironment environment) {
        this.options = requireNonNull(options, "options");
        requireNonNull(port, "port");
        requireNonNull(environment, "environment");
        options.checkAccess();
        GatewayOptions.Limits limits = options.limits();
        JsonBody json = new JsonBody(limits.maxBodyBytes());
        ChatRequestParser parser = new ChatRequestParser(options.modelNames(), json, limits.maxMessages());
        ErrorResponses errors = new ErrorResponses(limits.maxBodyBytes());
        TurnRegistry registry = new TurnRegistry(limits.maxTurnsKept());
        PrefixSessions prefixes = new PrefixSessions(json, limits.maxSessionsKept());
        this.openRequests = new OpenRequests(limits.maxOpenRequests(), limits.maxPendingBodyBytes());
        this.readers = new TurnReaders(port, registry, prefixes, errors);
        TurnOpener opener = new TurnOpener(
                port, registry, prefixes, environment, options.modelNames().get(0), options.oneOfSeveral());
        TurnReader.Surroundings surroundings =
                new TurnReader.Surroundings(options.timeouts(), environment.nanoTime(), readers);
        HttpService chat =
                new ChatCompletionsService(limits.maxBodyBytes(), json, parser, openRequests, opener, surroundings);
        long createdSeconds = Math.floorDiv(environment.clock().millis(), 1_000L);
        this.ioThreads = EventLoopGroups.newEventLoopGroup(IO_THREADS, "millrace-gateway", true);
        this.server = server(
                chat,
                new TurnsService(openRequests, opener, surroundings),
                new SessionsService(openRequests, port, environment, options.timeouts()),
                new ModelsService(options.modelNames(), parser, createdSeconds),
                new HealthService(port, openRequests),
                errors);
    }

    private Server server(
            HttpService chat,
            TurnsService turns,
            SessionsService sessions,
            ModelsService models,
            HealthService health,
            ErrorResponses errors) {
        GatewayOptions.Limits limits = options.limits();
        GatewayOptions.Timeouts timeouts = options.timeouts();
        ServerBuilder builder = Server.builder()
                .http(new InetSocketAddress(options.host(), options.port()))
                .workerGroup(ioThreads, false)
                .blockingTaskExecutor(PARSER_THREADS)
                .maxNumConnections(limits.maxConnections())
                .maxRequestLength(limits.maxBodyBytes())
                .http1MaxHeaderSize(MAX_HEADER_BYTES)
                .http2MaxHeaderListSize(MAX_HEADER_BYTES)
                .requestTimeout(timeouts.request())
                .idleTimeout(timeouts.idle())
                // Open requests are waited for here, and told why if they are cut off.
                .gracefulShutdownTimeoutMillis(0, 0)
                .childChannelPipelineCustomizer(pipeline -> RequestHeadDeadline.install(pipeline, timeouts.request()))
                .decorator(new BearerTokens(options.access().tokens())::guard)
                .decorator(RequestHeadDeadline::decorate)
                .errorHandler(errors)
                .accessLogWriter(Gateway::logAccess, false)
                .disableServerHeader();
        builder.route().post("/v1/chat/completions").build(chat);
        builder.route().get("/v1/turns/{turn}/events").build(turns.events());
        builder.route().delete("/v1/turns/{turn}").build(turns.cancel());
        builder.route().post("/v1/turns/{turn}/cancel").build(turns.cancel());
        builder.route().delete("/v1/sessions/{*session}").build(sessions.delete());
        builder.route().get("/v1/models").build(models.list());
        builder.route().get("/v1/models/{*model}").build(models.get());
        builder.route().methods(HttpMethod.GET).path("/health").build(health.ready());
        builder.route().get("/health/ready").build(health.ready());
        builder.route().get("/health/live").build(health.live());
        return builder.build();
    }

    /** Binds the port and begins to take requests. */
    public void start() {
        join(server.start());
        LOG.info("The gateway listens at {}:{}", options.host(), port());
    }

    /** The port that is bound, which the system chose if the options say 0. */
    public int port() {
        return server.activeLocalPort();
    }

    /** Requests that are being answered. */
    public int openRequestCount() {
        return openRequests.count();
    }

    /**
     * Takes no more requests, waits for those that are open, ends those that take longer than {@link
     * GatewayOptions.Timeouts#drain}, and releases the port and all threads.
     */
    public void stop() {
        join(stopAsync());
    }

    /** Like {@link #stop}; the result completes when all is released. */
    public CompletableFuture<Void> stopAsync() {
        CompletableFuture<Void> idle = openRequests.stop();
        long drainMs = options.timeouts().drain().toMillis();
        return idle.copy()
                .completeOnTimeout(null, drainMs, TimeUnit.MILLISECONDS)
                .thenCompose(drained -> cutOff(idle))
                .thenCompose(cut -> server.stop())
                .thenCompose(stopped -> releaseThreads());
    }

    private CompletableFuture<Void> cutOff(CompletableFuture<Void> idle) {
        if (!idle.isDone()) {
            LOG.warn("{} requests are cut off by the gateway's stop", openRequests.count());
            if (options.oneOfSeveral()) {
                readers.handOverAll(Failure.stopping());
            } else {
                readers.stopAll(Failure.stopping());
            }
        }
        // The events that say so still have to go out.
        return idle.copy().completeOnTimeout(null, LAST_WORDS_MS, TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<Void> releaseThreads() {
        CompletableFuture<Void> released = new CompletableFuture<>();
        // Nothing is left to be quiet for.
        ioThreads.shutdownGracefully(0, 1, TimeUnit.SECONDS).addListener(terminated -> released.complete(null));
        return released;
    }

    @Override
    public void close() {
        stop();
    }

    private static void logAccess(RequestLog log) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "{} {} {} {} bytes in {} ms, turn {}",
                    log.requestHeaders().method(),
                    log.requestHeaders().path(),
                    log.responseStatus().code(),
                    log.responseLength(),
                    TimeUnit.NANOSECONDS.toMillis(log.totalDurationNanos()),
                    log.responseHeaders().get("x-request-id"));
        }
    }

    private static void join(CompletableFuture<?> future) {
        try {
            future.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("the gateway could not start or stop", e.getCause());
        }
    }
}
