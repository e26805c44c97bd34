package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import org.apache.flink.api.connector.source.SourceSplit;

/**
 * The one split of a {@link LocalSource}: the whole port.
 *
 * @param portName the port's name
 */
record LocalSplit(String portName) implements SourceSplit {
    LocalSplit {
        requireNonNull(portName, "portName");
    }

    @Override
    public String splitId() {
        return portName;
    }
}
