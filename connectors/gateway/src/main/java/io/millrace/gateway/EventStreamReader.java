package io.millrace.gateway;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.TokenChunk;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;

/**
 * Sends a turn as server-sent events, each as soon as it is there. Headers go with the first of them, so that a turn
 * that is refused is still a proper HTTP error.
 */
final class EventStreamReader extends TurnReader {
    // Bounds what one slow client holds: the rest stays with the stream until this has gone.
    private static final int MAX_WRITE_BYTES = 16 * 1024;
    private static final HttpData KEEP_ALIVE = HttpData.ofUtf8(": keep-alive\n\n");

    private final ChatEvents events;
    private final ByteBuilder out = new ByteBuilder();
    private int nextChunkIndex;
    private boolean headersSent;

    EventStreamReader(
            KeptTurn turn,
            TurnStream stream,
            int resumeAfter,
            HttpResponseWriter response,
            EventLoop loop,
            Surroundings surroundings) {
        super(turn, stream, response, loop, surroundings);
        this.events = new ChatEvents(turn.turnId(), turn.shape(), resumeAfter);
    }

    @Override
    void advance() {
        boolean last = false;
        while (!last && out.size() < MAX_WRITE_BYTES && nextChunkIndex < stream.chunkCount()) {
            TokenChunk chunk = stream.chunk(nextChunkIndex);
            if (chunk == null) {
                break;
            }
            if (chunk.hasFailed()) {
                readers().failed(turn, Failure.of(chunk.getFailed()));
                if (!headersSent && out.size() == 0 && chunk.getTokenIdsCount() == 0) {
                    fail(Failure.of(chunk.getFailed()));
                    return;
                }
            }
            events.append(chunk, nextChunkIndex == 0, out);
            nextChunkIndex++;
            last = chunk.hasFinished() || chunk.hasFailed();
        }
        if (last) {
            readers().finished(turn, stream);
        }
        write(last);
    }

    private void write(boolean last) {
        if (last && !headersSent && out.size() == 0) {
            // The client has all of it: this status tells an EventSource not to come again.
            close(AggregatedHttpResponse.of(HttpStatus.NO_CONTENT));
            return;
        }
        if (!headersSent && nextChunkIndex > 0) {
            sendHeaders();
        }
        if (out.size() > 0) {
            send(HttpData.wrap(out.take()));
            if (!last) {
                awaitDemand();
            }
        }
        if (last) {
            close();
        }
    }

    @Override
    void fail(Failure failure) {
        if (!headersSent) {
            close(ErrorResponses.response(failure));
            return;
        }
        ChatEvents.error(failure, out);
        send(HttpData.wrap(out.take()));
        close();
    }

    @Override
    void breakOff(Failure failure) {
        // A stream that ends without [DONE] is one to be resumed; an error would be the end of it to many clients.
        if (headersSent) {
            close();
        } else {
            fail(failure);
        }
    }

    @Override
    void onSilence() {
        if (headersSent && isSilentFor(timeouts().keepAlive().toNanos())) {
            send(KEEP_ALIVE);
            awaitDemand();
        }
    }

    private void send(HttpObject part) {
        // A client that is gone takes nothing, and the end of its reading is on its way.
        boolean unused = response.tryWrite(part);
    }

    private void sendHeaders() {
        ResponseHeadersBuilder headers = ResponseHeaders.builder(HttpStatus.OK)
                .contentType(MediaType.EVENT_STREAM.withCharset(StandardCharsets.UTF_8))
                .set(HttpHeaderNames.CACHE_CONTROL, "no-cache")
                // Proxies of nginx's kind hold events back otherwise.
                .set("x-accel-buffering", "no");
        addTurnHeaders(headers);
        send(headers.build());
        headersSent = true;
    }
}
