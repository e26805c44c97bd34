package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.TokenChunk;
import io.netty.channel.EventLoop;

/** Sends a turn in one piece, when it is complete. */
final class WholeTurnReader extends TurnReader {
    WholeTurnReader(
            KeptTurn turn, TurnStream stream, HttpResponseWriter response, EventLoop loop, Surroundings surroundings) {
        super(turn, stream, response, loop, surroundings);
    }

    @Override
    void advance() {
        if (!stream.isComplete()) {
            return;
        }
        TokenChunk last = requireNonNull(stream.chunk(stream.chunkCount() - 1), "last chunk");
        if (last.hasFailed()) {
            Failure failure = Failure.of(last.getFailed());
            readers().failed(turn, failure);
            fail(failure);
            return;
        }
        readers().finished(turn, stream);
        byte[] body = WholeTurn.of(stream, turn.shape()).json(turn.turnId(), turn.shape());
        ResponseHeaders headers = ResponseHeaders.builder(HttpStatus.OK)
                .contentType(MediaType.JSON_UTF_8)
                .build();
        close(AggregatedHttpResponse.of(headers, HttpData.wrap(body)));
    }

    @Override
    void fail(Failure failure) {
        close(ErrorResponses.response(failure));
    }

    @Override
    void onSilence() {
        // Nothing can be said before the answer.
    }
}
