package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.kv.KvBlockLayout;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class SyntheticInstanceTest {
    private final KvBlockLayout layout = new KvBlockLayout(2, 1, 4, 4);
    private final SyntheticInstance instance = new SyntheticInstance(3, layout);

    @Test
    void aBlockIsMadeOfItsTokens() {
        compute(0, 1, 2, 3, 4);
        compute(1, 1, 2, 3, 4);
        compute(2, 1, 2, 3, 5);

        assertThat(read(0)).isEqualTo(read(1)).isNotEqualTo(read(2));
    }

    @Test
    void whatComesBackIsCheckedAndReadAgain() {
        compute(0, 1, 2, 3, 4);
        ByteBuffer block = read(0);

        instance.writeBlock(2, block);

        assertThat(read(2)).isEqualTo(block);
        block.put(17, (byte) (block.get(17) + 1));
        assertThatThrownBy(() -> instance.writeBlock(1, block)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> instance.writeBlock(1, block.limit(8))).isInstanceOf(IllegalArgumentException.class);
    }

    private void compute(int block, int... tokens) {
        Batch batch = new Batch(tokens.length, 1);
        for (int token = 0; token < tokens.length; token++) {
            batch.tokenIds[token] = tokens[token];
            batch.positions[token] = token;
            batch.slotMapping[token] = block * layout.blockSizeTokens() + token;
        }
        batch.tokenCount = tokens.length;
        instance.execute(batch, new ForwardResult(1, 300));
    }

    private ByteBuffer read(int block) {
        ByteBuffer target = ByteBuffer.allocateDirect(layout.blockBytes());
        instance.readBlock(block, target);
        assertThat(target.hasRemaining()).isFalse();
        return target.flip();
    }
}
