package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.jspecify.annotations.Nullable;

/** Gives the port to the first reader that comes, and back to one when that reader is lost. */
final class LocalSplitEnumerator implements SplitEnumerator<LocalSplit, LocalEnumeratorState> {
    private final SplitEnumeratorContext<LocalSplit> context;
    private boolean assigned;

    LocalSplitEnumerator(SplitEnumeratorContext<LocalSplit> context, boolean assigned) {
        this.context = requireNonNull(context, "context");
        this.assigned = assigned;
    }

    @Override
    public void start() {}

    @Override
    public void addReader(int subtaskId) {
        if (!assigned) {
            assigned = true;
            context.assignSplit(new LocalSplit(), subtaskId);
        }
    }

    @Override
    public void handleSplitRequest(int subtaskId, @Nullable String requesterHostname) {
        // A reader gets the split when it comes, or none: it has nothing to ask for.
    }

    @Override
    public void addSplitsBack(List<LocalSplit> splits, int subtaskId) {
        if (splits.isEmpty()) {
            return;
        }
        assigned = false;
        if (context.registeredReaders().containsKey(subtaskId)) {
            addReader(subtaskId);
        }
    }

    @Override
    public LocalEnumeratorState snapshotState(long checkpointId) {
        return new LocalEnumeratorState(assigned);
    }

    @Override
    public void close() {}
}
