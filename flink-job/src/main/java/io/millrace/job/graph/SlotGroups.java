package io.millrace.job.graph;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Map;
import org.apache.flink.api.common.operators.SlotSharingGroup;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * The slots that the operators share: one group of all, or, with disaggregation, Prefill's and the others'.
 *
 * @param prefill Prefill's group
 * @param others that of the other operators
 */
record SlotGroups(SlotSharingGroup prefill, SlotSharingGroup others) {
    private static final String DEFAULT = "default";
    private static final String CPU = "cpu";
    private static final String TASK_HEAP = "task-heap";
    private static final String TASK_OFF_HEAP = "task-off-heap";
    private static final String MANAGED = "managed";

    SlotGroups {
        requireNonNull(prefill, "prefill");
        requireNonNull(others, "others");
    }

    /**
     * The groups of a configuration.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it names what a group has and that cannot be read, or names
     *     it for one group alone
     */
    static SlotGroups of(Configuration configuration) {
        if (!configuration.get(MillraceOptions.DISAGGREGATION_ENABLED)) {
            SlotSharingGroup all = SlotSharingGroup.newBuilder(DEFAULT).build();
            return new SlotGroups(all, all);
        }
        Map<String, String> prefill = resources(configuration, MillraceOptions.DISAGGREGATION_PREFILL_RESOURCES);
        Map<String, String> others = resources(configuration, MillraceOptions.DISAGGREGATION_DECODE_RESOURCES);
        if (prefill.isEmpty() != others.isEmpty()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    MillraceOptions.DISAGGREGATION_PREFILL_RESOURCES.key() + " and "
                            + MillraceOptions.DISAGGREGATION_DECODE_RESOURCES.key() + " are set both or neither");
        }
        String name = configuration.get(MillraceOptions.DISAGGREGATION_PREFILL_SLOTS);
        if (name.isEmpty() || name.equals(DEFAULT)) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    MillraceOptions.DISAGGREGATION_PREFILL_SLOTS.key() + " must name another group than the others'");
        }
        return new SlotGroups(
                group(name, prefill, MillraceOptions.DISAGGREGATION_PREFILL_RESOURCES),
                group(DEFAULT, others, MillraceOptions.DISAGGREGATION_DECODE_RESOURCES));
    }

    private static Map<String, String> resources(
            Configuration configuration, ConfigOption<Map<String, String>> option) {
        @Nullable Map<String, String> given = configuration.get(option);
        return given == null ? Map.of() : given;
    }

    private static SlotSharingGroup group(
            String name, Map<String, String> resources, ConfigOption<Map<String, String>> option) {
        SlotSharingGroup.Builder group = SlotSharingGroup.newBuilder(name);
        try {
            for (Map.Entry<String, String> resource : resources.entrySet()) {
                String value = resource.getValue().trim();
                switch (resource.getKey()) {
                    case CPU -> group.setCpuCores(Double.parseDouble(value));
                    case TASK_HEAP -> group.setTaskHeapMemory(MemorySize.parse(value));
                    case TASK_OFF_HEAP -> group.setTaskOffHeapMemory(MemorySize.parse(value));
                    case MANAGED -> group.setManagedMemory(MemorySize.parse(value));
                    default -> group.setExternalResource(resource.getKey(), Double.parseDouble(value));
                }
            }
            return group.build();
        } catch (IllegalArgumentException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    option.key() + " says " + resources + ", which no slot can have: " + e.getMessage(),
                    e);
        }
    }
}
