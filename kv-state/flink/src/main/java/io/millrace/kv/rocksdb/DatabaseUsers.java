package io.millrace.kv.rocksdb;

import java.io.IOException;
import org.apache.flink.util.ResourceGuard;

/**
 * Counts who uses the database beside the task thread, so that nobody does once it is disposed: that would end the
 * process. Closing waits for those who do; and should it be forgotten, the backend itself waits for them.
 */
final class DatabaseUsers implements AutoCloseable {
    private final ResourceGuard backendGuard;
    private final ResourceGuard ownGuard = new ResourceGuard();

    DatabaseUsers(ResourceGuard backendGuard) {
        this.backendGuard = backendGuard;
    }

    /** One use of the database. */
    interface Use extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Begins a use.
     *
     * @throws IOException if the store or the backend is closed
     */
    Use enter() throws IOException {
        ResourceGuard.Lease own = ownGuard.acquireResource();
        try {
            ResourceGuard.Lease backend = backendGuard.acquireResource();
            return () -> {
                backend.close();
                own.close();
            };
        } catch (IOException | RuntimeException e) {
            own.close();
            throw e;
        }
    }

    /** Lets nobody begin a use any more, and waits for those that there are. */
    @Override
    public void close() {
        ownGuard.closeUninterruptibly();
    }
}
