package io.millrace.connector.local;

import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * What a checkpoint remembers of the enumerator.
 *
 * @param assigned whether a reader has the split
 */
record LocalEnumeratorState(boolean assigned) {
    /** One byte: 1 if the split is assigned. */
    static final class Serializer implements SimpleVersionedSerializer<LocalEnumeratorState> {
        private static final int VERSION = 1;

        @Override
        public int getVersion() {
            return VERSION;
        }

        @Override
        public byte[] serialize(LocalEnumeratorState state) {
            return new byte[] {(byte) (state.assigned() ? 1 : 0)};
        }

        @Override
        public LocalEnumeratorState deserialize(int version, byte[] serialized) throws IOException {
            if (version != VERSION || serialized.length != 1) {
                throw new IOException("no enumerator state of a local source: version " + version + ", "
                        + serialized.length + " bytes");
            }
            return new LocalEnumeratorState(serialized[0] == 1);
        }
    }
}
