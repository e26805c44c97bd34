package io.millrace.job.cluster;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Chooses ports of the loopback address. */
final class ClusterPorts {
    /** Where everything listens. */
    static final String HOST = "127.0.0.1";

    static final String RPC = "rpc";
    static final String ZOOKEEPER = "zookeeper";

    private ClusterPorts() {}

    static String rest(int jobManager) {
        return "rest-" + jobManager;
    }

    static String gateway(int number) {
        return "gateway-" + number;
    }

    /**
     * Ports of all that a plan has. Those that are known stay. New ones are free now; all are held until the last is
     * chosen, so that they differ.
     *
     * @throws ServingException {@code INVALID_REQUEST} if a port that the plan fixes is taken
     */
    static Map<String, Integer> choose(ClusterPlan plan, Map<String, Integer> known) throws IOException {
        Map<String, Integer> ports = new TreeMap<>(known);
        List<ServerSocket> held = new ArrayList<>();
        try {
            for (String name : names(plan)) {
                if (!ports.containsKey(name)) {
                    ServerSocket socket = bind(name, plan.ports().getOrDefault(name, 0));
                    held.add(socket);
                    ports.put(name, socket.getLocalPort());
                }
            }
        } finally {
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
        return ports;
    }

    /** Of the ports that a plan's parts had, those that nothing else has taken, and that the plan does not fix. */
    static Map<String, Integer> stillFree(ClusterPlan plan, Map<String, Integer> known) {
        Map<String, Integer> free = new TreeMap<>();
        known.forEach((name, port) -> {
            if (!plan.ports().containsKey(name)) {
                try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(HOST))) {
                    free.put(name, socket.getLocalPort());
                } catch (IOException e) {
                    // Taken: another one is chosen.
                }
            }
        });
        return free;
    }

    private static List<String> names(ClusterPlan plan) {
        List<String> names = new ArrayList<>(List.of(RPC));
        if (plan.highAvailability()) {
            names.add(ZOOKEEPER);
        }
        for (int i = 1; i <= plan.jobManagers(); i++) {
            names.add(rest(i));
        }
        for (int i = 1; i <= plan.gateways(); i++) {
            names.add(gateway(i));
        }
        return names;
    }

    private static ServerSocket bind(String name, int port) throws IOException {
        try {
            return new ServerSocket(port, 1, InetAddress.getByName(HOST));
        } catch (IOException e) {
            if (port == 0) {
                throw e;
            }
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "port " + port + " (" + name + ") is not free: " + e.getMessage(), e);
        }
    }
}
