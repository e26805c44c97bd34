package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChainHasherTest {
    private final ChainHasher hasher = new ChainHasher(4, "model");

    @Test
    void chainIsTheEnginesWhereverPromptAndOutputMeet() {
        int[] tokens = IntStream.range(0, 21).toArray();
        List<BlockHash> expected = new ArrayList<>();
        BlockHasher engines = new BlockHasher(4);
        BlockHash parent = engines.root("model", "salt");
        for (int i = 0; i < 5; i++) {
            parent = engines.child(parent, tokens, i * 4);
            expected.add(parent);
        }
        for (int promptTokens = 1; promptTokens <= 21; promptTokens++) {
            int[] prompt = IntStream.range(0, promptTokens).toArray();
            List<BlockHash> chain = new ArrayList<>();
            for (int end = promptTokens; end <= 21; end++) {
                hasher.extend(
                        chain,
                        "salt",
                        prompt,
                        IntStream.range(promptTokens, end).toArray());
                assertThat(chain).isEqualTo(expected.subList(0, (end - 1) / 4));
            }
        }
    }

    @Test
    void lastTokenIsNotComputed() {
        assertThat(hasher.fullBlocks(0)).isZero();
        assertThat(hasher.fullBlocks(4)).isZero();
        assertThat(hasher.fullBlocks(5)).isEqualTo(1);
        assertThat(hasher.fullBlocks(9)).isEqualTo(2);
    }
}
