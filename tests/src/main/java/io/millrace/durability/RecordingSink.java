package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.TokenChunk;
import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Another sink, which writes every chunk into its run's {@link TurnBook} first, and fails when it is told to. */
public final class RecordingSink implements Sink<TokenChunk> {
    private static final long serialVersionUID = 1L;

    private final String run;
    private final Sink<TokenChunk> sink;

    /** A sink of a run of {@link Faults}, for which a book is open. */
    public RecordingSink(String run, Sink<TokenChunk> sink) {
        this.run = requireNonNull(run, "run");
        this.sink = requireNonNull(sink, "sink");
    }

    @Override
    public SinkWriter<TokenChunk> createWriter(WriterInitContext context) throws IOException {
        Faults faults = Faults.of(run);
        faults.pass(FaultPoint.SINK_OPEN);
        return new Writer(sink.createWriter(context), faults, TurnBook.of(run));
    }

    private static final class Writer implements SinkWriter<TokenChunk> {
        private final SinkWriter<TokenChunk> writer;
        private final Faults faults;
        private final TurnBook book;

        Writer(SinkWriter<TokenChunk> writer, Faults faults, TurnBook book) {
            this.writer = writer;
            this.faults = faults;
            this.book = book;
        }

        @Override
        public void write(TokenChunk chunk, Context context) throws IOException, InterruptedException {
            faults.pass(FaultPoint.SINK_CHUNK);
            book.add(chunk);
            writer.write(chunk, context);
            faults.pass(FaultPoint.SINK_DELIVERED);
        }

        @Override
        public void flush(boolean endOfInput) throws IOException, InterruptedException {
            faults.pass(FaultPoint.SINK_FLUSH);
            writer.flush(endOfInput);
        }

        @Override
        public void close() throws Exception {
            writer.close();
        }
    }
}
