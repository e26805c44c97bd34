package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

/** An instantiated graph. */
final class JcudaGraph implements DeviceGraph {
    private final JcudaDevice device;
    private final CUgraphExec executable = new CUgraphExec();

    /** Instantiates a graph and gives the graph back. */
    JcudaGraph(JcudaDevice device, CUgraph graph) {
        this.device = requireNonNull(device, "device");
        int result = JCudaDriver.cuGraphInstantiate(executable, graph, 0);
        JCudaDriver.cuGraphDestroy(graph);
        device.check(result, "cuGraphInstantiate");
    }

    CUgraphExec executable() {
        return executable;
    }

    @Override
    public void close() {
        device.enter();
        device.check(JCudaDriver.cuGraphExecDestroy(executable), "cuGraphExecDestroy");
    }
}
