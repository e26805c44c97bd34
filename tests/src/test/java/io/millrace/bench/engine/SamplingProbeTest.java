package io.millrace.bench.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.backend.Batch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SamplingProbeTest {
    @BeforeEach
    void clear() {
        SamplingProbe.clear();
    }

    @Test
    void findsTurnsByTheLengthOfTheirPrompts() {
        // Block 5 has a prompt of 3 tokens, block 9 one of 4; both decode two tokens more.
        record(100, 5, 2, 9, 3);
        record(200, 5, 3, 9, 4);
        record(300, 9, 5, 5, 4);

        assertThat(SamplingProbe.sampledNanos(3, 3)).containsExactly(100, 200, 300);
        assertThat(SamplingProbe.sampledNanos(4, 3)).containsExactly(100, 200, 300);
    }

    @Test
    void turnsThatAreNotKnownWholeAreLeftOut() {
        record(100, 5, 2, 9, 3);
        record(200, 5, 3, 9, 4);

        assertThat(SamplingProbe.sampledNanos(3, 3)).isEmpty();
        assertThat(SamplingProbe.sampledNanos(7, 1)).isEmpty();
    }

    /** A batch of two sequences of one token each. */
    private static void record(long nanos, int block0, int position0, int block1, int position1) {
        Batch batch = new Batch(4, 4);
        batch.tokenCount = 2;
        batch.sequenceCount = 2;
        batch.logitsCount = 2;
        batch.queryStart[1] = 1;
        batch.queryStart[2] = 2;
        batch.positions[0] = position0;
        batch.positions[1] = position1;
        batch.blockTableStart[1] = 1;
        batch.blockTableStart[2] = 2;
        batch.blockTables[0] = block0;
        batch.blockTables[1] = block1;
        batch.logitsRows[0] = 0;
        batch.logitsRows[1] = 1;
        SamplingProbe.record(batch, nanos);
    }
}
