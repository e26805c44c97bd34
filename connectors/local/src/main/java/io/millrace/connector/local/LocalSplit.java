package io.millrace.connector.local;

import org.apache.flink.api.connector.source.SourceSplit;

/**
 * The one split of a {@link LocalSource}: the whole port. It does not name the port, for a savepoint may be restored in
 * another process, whose port has another name.
 */
record LocalSplit() implements SourceSplit {
    @Override
    public String splitId() {
        return "port";
    }
}
