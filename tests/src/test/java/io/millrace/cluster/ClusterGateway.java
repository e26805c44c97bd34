package io.millrace.cluster;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalPortOptions;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import java.util.HashMap;
import java.util.Map;

/** A gateway inside a TaskManager's process, so that clients reach a job on a cluster. It outlives the job. */
final class ClusterGateway {
    private static final Map<Integer, Gateway> OPEN = new HashMap<>();

    private ClusterGateway() {}

    /** The name of the port of requests behind a gateway. */
    static String portName(int port) {
        return "cluster-" + port;
    }

    /** Opens the gateway of this process unless it is open. */
    static synchronized void open(int port, String modelName) {
        if (!OPEN.containsKey(port)) {
            LocalPort requests = LocalPort.open(portName(port), new LocalPortOptions(64, 64, 64, 64 << 20));
            Gateway gateway = new Gateway(GatewayOptions.of(modelName).withAddress("127.0.0.1", port), requests);
            gateway.start();
            OPEN.put(port, gateway);
        }
    }
}
