package io.millrace.connector.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.port.OrderedTurnStream.Delivery;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFinished;
import org.junit.jupiter.api.Test;

class TurnBookTest {
    private final TurnBook<OrderedTurnStream> book = new TurnBook<>(2, 2, 1 << 20);

    @Test
    void openTurnsAreBounded() {
        OrderedTurnStream first = open("1");
        open("2");
        assertThatThrownBy(book::checkRoom)
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.QUEUE_FULL));
        finish(first);
        book.checkRoom();
        assertThat(book.open()).extracting(OrderedTurnStream::requestId).containsExactly("2");
        assertThat(book.openCount()).isOne();
    }

    @Test
    void latestThatEndedStayKnown() {
        for (int i = 0; i < 4; i++) {
            finish(open("r" + i));
        }
        assertThat(book.all()).extracting(OrderedTurnStream::requestId).containsExactly("r2", "r3");
        assertThat(book.openCount()).isZero();
    }

    @Test
    void bytesOfThoseThatEndedAreBounded() {
        TurnBook<OrderedTurnStream> small = new TurnBook<>(2, 100, 10);
        OrderedTurnStream turn = new OrderedTurnStream(new TurnKey("s", "r"));
        small.add(turn);
        assertThat(turn.append(finished(0))).isEqualTo(Delivery.COMPLETED);
        small.ended(turn);
        assertThat(small.all()).isEmpty();
    }

    @Test
    void turnsThatWereNotRunAreForgottenAtOnce() {
        for (ErrorCode code : ErrorCode.values()) {
            OrderedTurnStream turn = open(code.name());
            assertThat(turn.append(turn.failure(code, "test"))).isEqualTo(Delivery.COMPLETED);
            book.ended(turn);
            boolean kept = book.get(turn.key()) != null;
            assertThat(kept)
                    .as(code.name())
                    .isEqualTo(code != ErrorCode.UNAVAILABLE
                            && code != ErrorCode.QUEUE_FULL
                            && code != ErrorCode.TURN_NOT_FOUND
                            && code != ErrorCode.OUTPUT_NOT_HELD);
        }
        assertThat(book.openCount()).isZero();
    }

    @Test
    void streamTellsWhatAChunkDid() {
        OrderedTurnStream turn = new OrderedTurnStream(new TurnKey("s", "r"));
        assertThat(turn.append(chunk(1, 2))).isEqualTo(Delivery.GAP);
        assertThat(turn.append(chunk(0, 1, 2))).isEqualTo(Delivery.APPENDED);
        assertThat(turn.append(chunk(0, 1))).isEqualTo(Delivery.REPEATED);
        assertThat(turn.append(finished(3))).isEqualTo(Delivery.GAP);
        assertThat(turn.tokenCount()).isEqualTo(2);
        assertThat(turn.failureCode()).isEmpty();
        assertThat(turn.append(finished(2))).isEqualTo(Delivery.COMPLETED);
        assertThat(turn.append(finished(2))).isEqualTo(Delivery.REPEATED);
        assertThat(turn.failureCode()).isEmpty();
    }

    private OrderedTurnStream open(String requestId) {
        OrderedTurnStream turn = new OrderedTurnStream(new TurnKey("s", requestId));
        book.add(turn);
        return turn;
    }

    private void finish(OrderedTurnStream turn) {
        assertThat(turn.append(finished(0))).isEqualTo(Delivery.COMPLETED);
        book.ended(turn);
    }

    private static TokenChunk chunk(int offset, int... tokens) {
        TokenChunk.Builder chunk =
                TokenChunk.newBuilder().setSessionId("s").setRequestId("r").setOffset(offset);
        for (int token : tokens) {
            chunk.addTokenIds(token);
        }
        return chunk.build();
    }

    private static TokenChunk finished(int offset) {
        return chunk(offset).toBuilder()
                .setFinished(TurnFinished.newBuilder().setReason(TurnFinished.Reason.STOP))
                .build();
    }
}
