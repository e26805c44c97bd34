package io.millrace.kv.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.MapState;
import org.junit.jupiter.api.Test;

class PutBlockStoreTest {
    private final Map<Long, byte[]> blocks = new HashMap<>();
    private final BlockStore store = new PutBlockStore(new TestingMapState(blocks), 25);

    @Test
    void nothingIsThereBeforeItIsCommitted() throws Exception {
        BlockStore.WrittenRun run = store.write(store.place(), 5, List.of(value(1), value(2)));
        assertThat(blocks).isEmpty();
        store.commit(run);
        assertThat(blocks).containsOnlyKeys(5L, 6L);
        BlockStore.Reader reader = store.reader(store.place(), new long[] {6, 7, 5});
        ByteBuffer buffer = ByteBuffer.allocateDirect(30);
        assertThat(reader.read(0, buffer)).isTrue();
        assertThat(reader.read(1, buffer)).isFalse();
        assertThat(reader.read(2, buffer)).isTrue();
        assertThat(buffer.position()).isEqualTo(20);
        assertThat(buffer.get(0)).isEqualTo((byte) 2);
        assertThat(buffer.get(10)).isEqualTo((byte) 1);
        assertThat(store.stats()).isEqualTo(new BlockStore.Stats("put", null, 20, 0, 20, 0));
    }

    @Test
    void aReaderIsBounded() throws Exception {
        store.commit(store.write(store.place(), 0, List.of(value(0), value(1), value(2), value(3))));
        BlockStore.Reader reader = store.reader(store.place(), new long[] {0, 1, 2, 3});
        assertThat(reader.read(2, ByteBuffer.allocateDirect(10))).isTrue();
        assertThatThrownBy(() -> reader.read(3, ByteBuffer.allocateDirect(10)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("at most 25 bytes");
        assertThatThrownBy(() -> reader.read(0, ByteBuffer.allocateDirect(9)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not fit");
    }

    @Test
    void dropsRunsAndAll() throws Exception {
        store.commit(store.write(store.place(), 0, List.of(value(0), value(1), value(2), value(3))));
        store.drop(store.place(), 1, 2);
        assertThat(blocks).containsOnlyKeys(0L, 3L);
        store.dropAll(store.place());
        assertThat(blocks).isEmpty();
        assertThat(store.mergeSmallFiles(store.place())).isZero();
        assertThat(store.dropUnknown((key, first, last) -> false)).isZero();
        store.close();
    }

    private static ByteBuffer value(int fill) {
        ByteBuffer value = ByteBuffer.allocateDirect(12);
        for (int i = 0; i < value.capacity(); i++) {
            value.put(i, (byte) fill);
        }
        return value.position(2);
    }

    /** The current key's map, in a plain map. */
    private record TestingMapState(Map<Long, byte[]> map) implements MapState<Long, byte[]> {
        @Override
        public byte[] get(Long key) {
            return map.get(key);
        }

        @Override
        public void put(Long key, byte[] value) {
            map.put(key, value);
        }

        @Override
        public void putAll(Map<Long, byte[]> entries) {
            map.putAll(entries);
        }

        @Override
        public void remove(Long key) {
            map.remove(key);
        }

        @Override
        public boolean contains(Long key) {
            return map.containsKey(key);
        }

        @Override
        public Iterable<Map.Entry<Long, byte[]>> entries() {
            return map.entrySet();
        }

        @Override
        public Iterable<Long> keys() {
            return map.keySet();
        }

        @Override
        public Iterable<byte[]> values() {
            return map.values();
        }

        @Override
        public Iterator<Map.Entry<Long, byte[]>> iterator() {
            return map.entrySet().iterator();
        }

        @Override
        public boolean isEmpty() {
            return map.isEmpty();
        }

        @Override
        public void clear() {
            map.clear();
        }
    }
}
