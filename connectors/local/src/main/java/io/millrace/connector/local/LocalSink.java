package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.TokenChunk;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Delivers a job's chunks to a {@link LocalPort} of this process, at once. */
public final class LocalSink implements Sink<TokenChunk> {
    private static final long serialVersionUID = 1L;

    private final String portName;

    /**
     * Delivers to a port.
     *
     * @param portName the name of a port that is open when the job starts
     */
    public LocalSink(String portName) {
        this.portName = requireNonNull(portName, "portName");
    }

    @Override
    public SinkWriter<TokenChunk> createWriter(WriterInitContext context) {
        return new Writer(LocalPort.named(portName));
    }

    private static final class Writer implements SinkWriter<TokenChunk> {
        private final LocalPort port;

        Writer(LocalPort port) {
            this.port = port;
        }

        @Override
        public void write(TokenChunk chunk, Context context) {
            port.deliver(chunk);
        }

        // What was written was delivered.
        @Override
        public void flush(boolean endOfInput) {}

        @Override
        public void close() {}
    }
}
