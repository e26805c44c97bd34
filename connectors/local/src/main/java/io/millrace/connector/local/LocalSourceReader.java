package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.AgentRequest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.core.io.InputStatus;
import org.jspecify.annotations.Nullable;

/** Reads the requests of a {@link LocalPort}. Sleeps while none waits. */
final class LocalSourceReader implements SourceReader<AgentRequest, LocalSplit> {
    private final String portName;
    private final CompletableFuture<Void> splitAssigned = new CompletableFuture<>();
    private @Nullable LocalSplit split;
    private @Nullable LocalAttachment attachment;

    LocalSourceReader(String portName) {
        this.portName = requireNonNull(portName, "portName");
    }

    @Override
    public void start() {}

    @Override
    public InputStatus pollNext(ReaderOutput<AgentRequest> output) {
        LocalAttachment source = attachment;
        if (source == null) {
            return InputStatus.NOTHING_AVAILABLE;
        }
        AgentRequest request = source.poll();
        if (request != null) {
            output.collect(request);
            return InputStatus.MORE_AVAILABLE;
        }
        return source.isExhausted() ? InputStatus.END_OF_INPUT : InputStatus.NOTHING_AVAILABLE;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        LocalAttachment source = attachment;
        return source == null ? splitAssigned : source.available();
    }

    @Override
    public List<LocalSplit> snapshotState(long checkpointId) {
        return split == null ? List.of() : List.of(split);
    }

    /** Attaches to the port, which offers every open turn again: so a restarted job gets its requests back. */
    @Override
    public void addSplits(List<LocalSplit> splits) {
        for (LocalSplit added : splits) {
            split = added;
            attachment = LocalPort.named(portName).attach();
        }
        splitAssigned.complete(null);
    }

    @Override
    public void notifyNoMoreSplits() {
        // The split is the port, and lasts for as long as the port does.
    }

    @Override
    public void close() {
        if (attachment != null) {
            attachment.close();
        }
    }
}
