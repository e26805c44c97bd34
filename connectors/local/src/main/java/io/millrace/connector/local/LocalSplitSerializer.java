package io.millrace.connector.local;

import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Serializes a {@link LocalSplit}, of which nothing needs to be said. */
final class LocalSplitSerializer implements SimpleVersionedSerializer<LocalSplit> {
    private static final int VERSION = 1;

    @Override
    public int getVersion() {
        return VERSION;
    }

    @Override
    public byte[] serialize(LocalSplit split) {
        return new byte[0];
    }

    @Override
    public LocalSplit deserialize(int version, byte[] serialized) throws IOException {
        if (version != VERSION) {
            throw new IOException("a local split of version " + version + " is not known; this is version " + VERSION);
        }
        return new LocalSplit();
    }
}
