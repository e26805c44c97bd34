package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;

/** Makes Decode's coordinator in the JobManager. */
public final class DecodeCoordinatorProvider implements OperatorCoordinator.Provider {
    private static final long serialVersionUID = 1L;

    private final OperatorID operatorId;

    /** The provider of an operator. */
    public DecodeCoordinatorProvider(OperatorID operatorId) {
        this.operatorId = requireNonNull(operatorId, "operatorId");
    }

    @Override
    public OperatorID getOperatorId() {
        return operatorId;
    }

    @Override
    public OperatorCoordinator create(OperatorCoordinator.Context context) {
        return new DecodeCoordinator(context::currentParallelism, CoordinatorTimer.withThread("decode-coordinator"));
    }
}
