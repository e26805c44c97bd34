package io.millrace.operators;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.api.common.functions.RuntimeContext;

/**
 * Where a subtask runs, as far as devices go.
 *
 * @param assigned the devices that Flink gave its TaskManager, in order; empty if Flink gives none out
 * @param subtaskIndex index of the subtask
 */
public record DevicePlace(List<Integer> assigned, int subtaskIndex) {
    /** The name of Flink's external resource whose devices are used. */
    public static final String RESOURCE = "gpu";

    /** What Flink's own driver for GPUs calls a device's index. */
    private static final String INDEX = "index";

    public DevicePlace {
        assigned = assigned.stream().distinct().sorted().toList();
        if (subtaskIndex < 0) {
            throw new IllegalArgumentException("subtaskIndex must not be negative: " + subtaskIndex);
        }
    }

    /** The place of a subtask. */
    public static DevicePlace of(RuntimeContext context) {
        return new DevicePlace(
                indices(context.getExternalResourceInfos(RESOURCE)),
                context.getTaskInfo().getIndexOfThisSubtask());
    }

    /**
     * The device for this place: one of those that Flink assigned; or one of those there are. Subtasks go round, so
     * that those of one TaskManager are spread, and the Prefill and the Decode of one index meet.
     *
     * @param deviceCount devices that the backend finds
     */
    public int device(int deviceCount) {
        return assigned.isEmpty()
                ? subtaskIndex % Math.max(1, deviceCount)
                : assigned.get(subtaskIndex % assigned.size());
    }

    private static List<Integer> indices(Collection<ExternalResourceInfo> infos) {
        List<Integer> indices = new ArrayList<>();
        for (ExternalResourceInfo info : infos) {
            String text = info.getProperty(INDEX).orElse("");
            if (!text.matches("[0-9]{1,4}")) {
                throw new ServingException(
                        ErrorCode.UNAVAILABLE,
                        "Flink's external resource " + RESOURCE + " gives a device without a usable property " + INDEX
                                + ": \"" + text + "\" of " + Set.copyOf(info.getKeys()));
            }
            indices.add(Integer.parseInt(text));
        }
        return indices;
    }
}
