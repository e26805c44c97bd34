package io.millrace.gateway;

import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.AttributeKey;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes a connection that begins a request and does not get to the end of its headers in time. The server's own
 * timeouts begin after the headers, and every byte puts its idle timeout off, so that a client could hold a connection
 * for as long as it likes. One a connection; all calls are on the connection's event loop.
 */
final class RequestHeadDeadline extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<RequestHeadDeadline> KEY = AttributeKey.valueOf(RequestHeadDeadline.class, "of");

    private final long timeoutMs;
    private int openRequestCount;
    private boolean multiplexed;
    private @Nullable ScheduledFuture<?> deadline;

    private RequestHeadDeadline(long timeoutMs) {
        this.timeoutMs = timeoutMs;
    }

    /** Puts a deadline into a new connection's pipeline. */
    static void install(ChannelPipeline pipeline, Duration timeout) {
        RequestHeadDeadline handler = new RequestHeadDeadline(timeout.toMillis());
        pipeline.channel().attr(KEY).set(handler);
        pipeline.addFirst(handler);
    }

    /** The service, which tells the deadline of its connection that a request has come. */
    static HttpService decorate(HttpService service) {
        return (ctx, request) -> {
            RequestHeadDeadline handler = of(ctx);
            if (handler != null) {
                handler.requestBegan(ctx.sessionProtocol().isMultiplex());
                ctx.log().whenComplete().thenAccept(log -> handler.requestEnded());
            }
            return service.serve(ctx, request);
        };
    }

    private static @Nullable RequestHeadDeadline of(ServiceRequestContext ctx) {
        Channel channel = ctx.log().partial().channel();
        return channel == null ? null : channel.attr(KEY).get();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        // The frames of a multiplexed connection may belong to no request at all.
        if (deadline == null && openRequestCount == 0 && !multiplexed) {
            deadline = ctx.channel().eventLoop().schedule(() -> close(ctx), timeoutMs, TimeUnit.MILLISECONDS);
        }
        ctx.fireChannelRead(message);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        cancel();
        ctx.fireChannelInactive();
    }

    private void requestBegan(boolean isMultiplexed) {
        multiplexed = isMultiplexed;
        openRequestCount++;
        cancel();
    }

    private void requestEnded() {
        openRequestCount--;
    }

    private static void close(ChannelHandlerContext ctx) {
        ctx.close();
    }

    private void cancel() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
