package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/**
 * What other threads ask of an engine's thread, until it takes it in between two steps. Submissions are bounded by the
 * engine's queue, cancellations by the live sequences, closed leases by the leases, inspections by the threads that
 * wait for them, and transfers by the holds and loads that are asked for or under way.
 */
final class EngineInbox {
    private final EngineCore core;
    private final Consumer<SequenceLease> leaseEnd;
    private final ConcurrentLinkedQueue<Sequence> submissions = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Sequence> cancellations = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Runnable> transfers = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<SequenceLease> closedLeases = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<FutureTask<?>> inspections = new ConcurrentLinkedQueue<>();

    /**
     * An empty inbox.
     *
     * @param leaseEnd hears of a lease that has ended, after its sequences, holds and loads
     */
    EngineInbox(EngineCore core, Consumer<SequenceLease> leaseEnd) {
        this.core = requireNonNull(core, "core");
        this.leaseEnd = requireNonNull(leaseEnd, "leaseEnd");
    }

    void submit(Sequence sequence) {
        submissions.add(sequence);
    }

    void cancel(Sequence sequence) {
        cancellations.add(sequence);
    }

    /** Has something done about blocks that others copy. */
    void transfer(Runnable task) {
        transfers.add(task);
    }

    void leaseClosed(SequenceLease lease) {
        closedLeases.add(lease);
    }

    void inspect(FutureTask<?> inspection) {
        inspections.add(inspection);
    }

    /** Does everything that is here. Engine thread. Returns how many things that were. */
    int take() {
        int count = 0;
        for (Sequence sequence = submissions.poll(); sequence != null; sequence = submissions.poll()) {
            core.take(sequence);
            count++;
        }
        for (Sequence sequence = cancellations.poll(); sequence != null; sequence = cancellations.poll()) {
            core.cancel(sequence);
            count++;
        }
        for (Runnable transfer = transfers.poll(); transfer != null; transfer = transfers.poll()) {
            transfer.run();
            count++;
        }
        for (SequenceLease lease = closedLeases.poll(); lease != null; lease = closedLeases.poll()) {
            lease.live().values().forEach(core::remove);
            core.endTransfers(lease);
            leaseEnd.accept(lease);
            count++;
        }
        for (FutureTask<?> inspection = inspections.poll(); inspection != null; inspection = inspections.poll()) {
            inspection.run();
            count++;
        }
        return count;
    }

    /** Cancels the inspections that nobody will do. */
    void cancelInspections() {
        inspections.forEach(inspection -> inspection.cancel(false));
    }
}
