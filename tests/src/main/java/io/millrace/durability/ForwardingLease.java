package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.kv.BlockHash;
import java.util.List;
import java.util.function.Consumer;

/** Hands all that is asked of it to another lease. */
abstract class ForwardingLease implements EngineLease {
    private final EngineLease lease;

    ForwardingLease(EngineLease lease) {
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
