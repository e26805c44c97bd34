package io.millrace.cluster;

import io.millrace.connector.local.LocalSink;
import io.millrace.proto.TokenChunk;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Chunks for the {@link ClusterGateway} in the writer's process. Fails its task once, for a session that asks for it. */
final class ClusterSink implements Sink<TokenChunk> {
    /** The session whose first chunk fails the task. */
    static final String FAILING_SESSION = "fails-the-task";

    private static final long serialVersionUID = 1L;
    private static final AtomicBoolean FAILED = new AtomicBoolean();

    private final int port;
    private final String modelName;

    ClusterSink(int port, String modelName) {
        this.port = port;
        this.modelName = modelName;
    }

    @Override
    public SinkWriter<TokenChunk> createWriter(WriterInitContext context) throws IOException {
        ClusterGateway.open(port, modelName);
        SinkWriter<TokenChunk> writer = new LocalSink(ClusterGateway.portName(port)).createWriter(context);
        return new SinkWriter<>() {
            @Override
            public void write(TokenChunk chunk, Context writerContext) throws IOException, InterruptedException {
                if (chunk.getSessionId().equals(FAILING_SESSION) && FAILED.compareAndSet(false, true)) {
                    throw new IOException("a failure on purpose");
                }
                writer.write(chunk, writerContext);
            }

            @Override
            public void flush(boolean endOfInput) throws IOException, InterruptedException {
                writer.flush(endOfInput);
            }

            @Override
            public void close() throws Exception {
                writer.close();
            }
        };
    }
}
