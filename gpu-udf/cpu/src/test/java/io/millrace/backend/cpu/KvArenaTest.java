package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.KvBlockLayout;
import org.junit.jupiter.api.Test;

class KvArenaTest {
    @Test
    void slotsLieWhereTheLayoutSays() {
        KvBlockLayout layout = new KvBlockLayout(2, 3, 4, 8);
        // Three blocks an array: the last array has one block only.
        KvArena arena = new KvArena(layout, 7, 3 * layout.blockElements() + 5);
        float next = 1;
        for (int slot = 0; slot < 7 * 8; slot++) {
            for (int layer = 0; layer < 2; layer++) {
                for (int head = 0; head < 3; head++) {
                    float[] key = {next++, next++, next++, next++};
                    float[] value = {next++, next++, next++, next++};
                    arena.store(slot, layer, head, key, 0, value, 0);
                }
            }
        }
        float expected = 1;
        for (int slot = 0; slot < 7 * 8; slot++) {
            float[] memory = arena.memory(slot / 8);
            int start = arena.start(slot / 8);
            for (int layer = 0; layer < 2; layer++) {
                for (int head = 0; head < 3; head++) {
                    for (int dim = 0; dim < 4; dim++) {
                        assertThat(memory[start + layout.keyOffset(layer, head) + dim * 8 + slot % 8])
                                .isEqualTo(expected++);
                    }
                    for (int dim = 0; dim < 4; dim++) {
                        assertThat(memory[start + layout.valueOffset(layer, head) + slot % 8 * 4 + dim])
                                .isEqualTo(expected++);
                    }
                }
            }
        }
        assertThat(arena.memory(6)).hasSize(layout.blockElements());
        assertThat(arena.memory(0)).isSameAs(arena.memory(2)).isNotSameAs(arena.memory(3));
    }
}
