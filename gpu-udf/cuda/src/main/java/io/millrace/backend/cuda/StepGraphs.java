package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.DeviceGraph;
import io.millrace.backend.cuda.device.DeviceStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs steps: as graphs where those pay, each captured when its shape comes first. */
final class StepGraphs implements AutoCloseable {
    /** Graphs that are kept; steps of further shapes are launched kernel by kernel. */
    private static final int GRAPHS_MAX = 96;

    private final ForwardPass forward;
    private final boolean enabled;
    private final Map<StepShape, DeviceGraph> graphs = new LinkedHashMap<>();

    StepGraphs(ForwardPass forward, boolean enabled) {
        this.forward = requireNonNull(forward, "forward");
        this.enabled = enabled;
    }

    /** Launches a step. */
    void run(StepShape shape, DeviceStream stream) {
        DeviceGraph graph = graphs.get(shape);
        if (graph == null && enabled && shape.isWorthAGraph() && graphs.size() < GRAPHS_MAX) {
            graph = capture(shape, stream);
            graphs.put(shape, graph);
        }
        if (graph == null) {
            forward.run(shape, stream);
        } else {
            stream.launch(graph);
        }
    }

    /** Number of graphs. */
    int count() {
        return graphs.size();
    }

    private DeviceGraph capture(StepShape shape, DeviceStream stream) {
        stream.beginCapture();
        try {
            forward.run(shape, stream);
        } catch (RuntimeException | Error e) {
            abandonCapture(stream, e);
            throw e;
        }
        return stream.endCapture();
    }

    private static void abandonCapture(DeviceStream stream, Throwable failure) {
        try {
            stream.endCapture().close();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        graphs.values().forEach(DeviceGraph::close);
        graphs.clear();
    }
}
