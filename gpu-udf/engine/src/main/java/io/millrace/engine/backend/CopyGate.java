package io.millrace.engine.backend;

import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Lets the copies of an instance's blocks run beside each other, and the instance's end wait for those that run. */
public final class CopyGate {
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** An open gate. */
    public CopyGate() {}

    /**
     * Runs one copy. Any thread.
     *
     * @throws IllegalStateException if the gate is closed
     */
    public void run(Runnable copy) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("the instance is closed");
            }
            copy.run();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Closes the gate once the copies that run have ended.
     *
     * @return whether it was open
     */
    public boolean close() {
        lock.writeLock().lock();
        try {
            boolean wasOpen = !closed;
            closed = true;
            return wasOpen;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Whether the gate is closed. */
    public boolean isClosed() {
        lock.readLock().lock();
        try {
            return closed;
        } finally {
            lock.readLock().unlock();
        }
    }
}
