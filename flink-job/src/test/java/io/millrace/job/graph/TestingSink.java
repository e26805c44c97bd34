package io.millrace.job.graph;

import io.millrace.proto.TokenChunk;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Delivers to another sink, as slowly as it is told to, and fails the job in place of a chunk when it is told to. */
final class TestingSink implements Sink<TokenChunk> {
    private static final long serialVersionUID = 1L;
    private static final Map<String, AtomicInteger> CHUNKS_UNTIL_FAILURE = new ConcurrentHashMap<>();
    private static final Map<String, Long> CHUNK_NANOS = new ConcurrentHashMap<>();
    private static final Map<String, Runnable> ON_FAILURE = new ConcurrentHashMap<>();
    private static final int NEVER = Integer.MAX_VALUE;

    private final String name;
    private final Sink<TokenChunk> delegate;

    TestingSink(String name, Sink<TokenChunk> delegate) {
        this.name = name;
        this.delegate = delegate;
        CHUNKS_UNTIL_FAILURE.put(name, new AtomicInteger(NEVER));
        CHUNK_NANOS.put(name, 0L);
    }

    /** Lets so many chunks pass; in place of the next one it runs the action and fails, once. */
    static void failAfter(String name, int chunks, Runnable action) {
        ON_FAILURE.put(name, action);
        CHUNKS_UNTIL_FAILURE.get(name).set(chunks);
    }

    /** Takes so long for each chunk from now on. */
    static void slowDown(String name, long chunkNanos) {
        CHUNK_NANOS.put(name, chunkNanos);
    }

    @Override
    public SinkWriter<TokenChunk> createWriter(WriterInitContext context) throws IOException {
        SinkWriter<TokenChunk> writer = delegate.createWriter(context);
        AtomicInteger countdown = CHUNKS_UNTIL_FAILURE.get(name);
        return new SinkWriter<>() {
            @Override
            public void write(TokenChunk chunk, Context writerContext) throws IOException, InterruptedException {
                if (countdown.getAndDecrement() == 0) {
                    countdown.set(NEVER);
                    ON_FAILURE.get(name).run();
                    throw new IOException("a failure on purpose");
                }
                LockSupport.parkNanos(CHUNK_NANOS.get(name));
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
