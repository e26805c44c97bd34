package io.millrace.backend.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimInstanceTest {
    private static final int BLOCK_SIZE = 8;
    private static final int BLOCKS = 64;
    private static final int[] PROMPT = IntStream.range(0, 30).map(i -> 40 + i).toArray();

    @TempDir
    Path folder;

    private final TestingClock clock = new TestingClock();
    private final Batch batch = new Batch(256, 8);
    private GgufModel model;
    private ModelInstance instance;
    private ForwardResult result;

    @BeforeEach
    void load() throws IOException {
        model = TestingModels.generate(folder);
        instance = new SimBackend(clock).load(TestingModels.spec(model, BLOCKS, BLOCK_SIZE, Map.of()));
        result = new ForwardResult(8, model.spec().vocabSize());
    }

    @AfterEach
    void close() {
        instance.close();
        model.close();
    }

    @Test
    void isFoundByItsName() {
        assertThat(Backends.find("sim")).isInstanceOf(SimBackend.class);
        assertThatThrownBy(() -> Backends.find("simulator"))
                .isInstanceOf(ServingException.class)
                .hasMessage("there is no backend named simulator; there are [sim]");
    }

    @Test
    void tokensDependOnTheWholeContextAndNotOnHowItWasCut() {
        float[] whole = logits(PROMPT, new int[] {3, 9, 1, 7}, PROMPT.length);
        assertThat(logits(PROMPT, new int[] {20, 21, 22, 23}, 1, 7, 8, 13, 1)).isEqualTo(whole);
        int[] other = PROMPT.clone();
        other[0]++;
        assertThat(logits(other, new int[] {30, 31, 32, 33}, PROMPT.length)).isNotEqualTo(whole);
    }

    @Test
    void anotherSeedIsAnotherModel() {
        float[] first = logits(PROMPT, new int[] {0, 1, 2, 3}, PROMPT.length);
        try (ModelInstance other =
                new SimBackend(clock).load(TestingModels.spec(model, BLOCKS, BLOCK_SIZE, Map.of("seed", "1")))) {
            instance.close();
            instance = other;
            assertThat(logits(PROMPT, new int[] {0, 1, 2, 3}, PROMPT.length)).isNotEqualTo(first);
        }
    }

    @Test
    void neverSaysControlTokens() {
        for (int token = 3; token < 300; token++) {
            float[] row = logits(new int[] {token}, new int[] {token % BLOCKS}, 1);
            assertThat(IntStream.range(0, 3).mapToObj(control -> row[control])).containsOnly(-20f);
        }
    }

    @Test
    void stepsTakeTheirTime() {
        SimTiming timing = SimTiming.of(Map.of());
        execute(PROMPT, new int[] {0, 1, 2, 3}, 0, PROMPT.length, true);
        assertThat(clock.nanoTime()).isEqualTo(timing.stepNanos(30, false, 0));
        long before = clock.nanoTime();
        int[] longer = IntStream.concat(IntStream.of(PROMPT), IntStream.of(9)).toArray();
        execute(longer, new int[] {0, 1, 2, 3}, 30, 31, true);
        assertThat(clock.nanoTime() - before).isEqualTo(timing.stepNanos(0, true, 31.0 / (BLOCKS * BLOCK_SIZE)));
    }

    @Test
    void copiesTakeTheirTimeOneAfterTheOther() {
        long nanos = SimTiming.of(Map.of()).transferNanos(instance.kvLayout().blockBytes());
        copy(0, 1);
        assertThat(clock.nanoTime()).isEqualTo(2 * nanos);
    }

    @Test
    void blockThatWasCopiedIsAsGood() {
        float[] expected = logits(PROMPT, new int[] {3, 9, 1, 7}, PROMPT.length);
        copy(3, 50);
        copy(9, 51);
        copy(1, 52);
        assertThat(logitsAfter(PROMPT, new int[] {50, 51, 52, 60}, 24)).isEqualTo(expected);
    }

    @Test
    void mistakesOfPagingShow() {
        logits(PROMPT, new int[] {3, 9, 1, 7}, PROMPT.length);
        assertRefused(new int[] {3, 1, 9, 7}, "block 1 holds 8 tokens from position 16 on");
        assertRefused(new int[] {3, 9, 1, 2}, "block 2 holds 0 tokens from position 0 on");
        int[] other = PROMPT.clone();
        other[2]++;
        logits(other, new int[] {13, 19, 11, 17}, other.length);
        assertRefused(new int[] {3, 19, 1, 7}, "block 19 does not continue the block before it");
        assertRefused(new int[] {13, 9, 1, 7}, "block 9 does not continue the block before it");
    }

    @Test
    void damageShows() {
        logits(PROMPT, new int[] {3, 9, 1, 7}, PROMPT.length);
        ByteBuffer block = ByteBuffer.allocate(instance.kvLayout().blockBytes());
        instance.readBlock(9, block);
        block.flip();
        // A token in its middle, with everything else as it was.
        block.put(8 + 8 * BLOCK_SIZE + 4 * 3, (byte) 99);
        instance.writeBlock(9, block);
        assertRefused(new int[] {3, 9, 1, 7}, "block 9 holds 0 tokens");
        instance.writeBlock(9, ByteBuffer.allocate(block.capacity()));
        assertRefused(new int[] {3, 9, 1, 7}, "block 9 holds 0 tokens");
        assertThatThrownBy(() -> instance.writeBlock(9, ByteBuffer.allocate(block.capacity() - 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a block has " + block.capacity() + " bytes");
    }

    @Test
    void sequencesThatShareAWritableBlockAreFoundOut() {
        batch.clear();
        add(new int[] {5, 6, 7}, new int[] {4}, 0, 3, true);
        add(new int[] {5, 6, 8}, new int[] {4}, 0, 3, true);
        finish();
        assertThatThrownBy(() -> instance.execute(batch, result))
                .hasMessageContaining("sequence 0")
                .hasMessageContaining("another sequence wrote to its last block");
    }

    @Test
    void closedInstanceDoesNothingMore() {
        instance.close();
        assertThatThrownBy(() -> execute(PROMPT, new int[] {0, 1, 2, 3}, 0, 8, false))
                .hasMessage("the instance is closed");
        assertThatThrownBy(() -> copy(0, 1)).hasMessage("the instance is closed");
    }

    private void assertRefused(int[] blocks, String message) {
        int[] longer = IntStream.concat(IntStream.of(PROMPT), IntStream.of(9)).toArray();
        assertThatThrownBy(() -> execute(longer, blocks, PROMPT.length, longer.length, true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    private void copy(int from, int to) {
        ByteBuffer content = ByteBuffer.allocate(instance.kvLayout().blockBytes());
        instance.readBlock(from, content);
        assertThat(content.hasRemaining()).isFalse();
        instance.writeBlock(to, content.flip());
        assertThat(content.remaining()).isEqualTo(content.capacity());
    }

    /** The logits after a context, computed in steps of these lengths. */
    private float[] logits(int[] tokens, int[] blocks, int... lengths) {
        int from = 0;
        for (int length : lengths) {
            execute(tokens, blocks, from, from + length, from + length == tokens.length);
            from += length;
        }
        return result.logits[0].clone();
    }

    private float[] logitsAfter(int[] tokens, int[] blocks, int cached) {
        execute(tokens, blocks, cached, tokens.length, true);
        return result.logits[0].clone();
    }

    private void execute(int[] tokens, int[] blocks, int from, int to, boolean wantsLogits) {
        batch.clear();
        add(tokens, blocks, from, to, wantsLogits);
        finish();
        instance.execute(batch, result);
    }

    private void add(int[] tokens, int[] blocks, int from, int to, boolean wantsLogits) {
        int sequence = batch.sequenceCount++;
        int table = sequence == 0 ? 0 : batch.blockTableStart[sequence];
        batch.queryStart[sequence] = batch.tokenCount;
        batch.blockTableStart[sequence] = table;
        System.arraycopy(blocks, 0, batch.blockTables, table, blocks.length);
        batch.blockTableStart[sequence + 1] = table + blocks.length;
        for (int position = from; position < to; position++) {
            batch.tokenIds[batch.tokenCount] = tokens[position];
            batch.positions[batch.tokenCount] = position;
            batch.slotMapping[batch.tokenCount] = blocks[position / BLOCK_SIZE] * BLOCK_SIZE + position % BLOCK_SIZE;
            batch.tokenCount++;
        }
        batch.contextLengths[sequence] = to;
        if (wantsLogits) {
            batch.logitsRows[batch.logitsCount++] = batch.tokenCount - 1;
        }
    }

    private void finish() {
        batch.queryStart[batch.sequenceCount] = batch.tokenCount;
    }
}
