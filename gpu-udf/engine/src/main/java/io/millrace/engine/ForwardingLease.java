package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.List;
import java.util.function.Consumer;

/** A lease that passes everything on to another, for those who want to see or add a part of it. */
public abstract class ForwardingLease implements EngineLease {
    private final EngineLease lease;

    /** Passes on to this lease. */
    protected ForwardingLease(EngineLease lease) {
        this.lease = requireNonNull(lease, "lease");
    }

    @Override
    public Admission submit(SequenceRequest request) {
        return lease.submit(request);
    }

    @Override
    public void cancel(String sequenceId) {
        lease.cancel(sequenceId);
    }

    @Override
    public void acknowledge(StepOutput output) {
        lease.acknowledge(output);
    }

    @Override
    public int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
        return lease.cachedPrefixTokens(promptTokens, cacheSalt);
    }

    @Override
    public void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
        lease.hold(hashes, receiver);
    }

    @Override
    public Engine engine() {
        return lease.engine();
    }

    @Override
    public void close() {
        lease.close();
    }
}
