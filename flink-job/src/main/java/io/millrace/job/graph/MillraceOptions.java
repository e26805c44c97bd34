package io.millrace.job.graph;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.model.ModelSettings;
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.operators.tiers.TierSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;

/**
 * Every option of a Millrace job. They stand beside Flink's own in one configuration: a YAML file of {@code
 * jobs-config/}, and {@code -D} arguments over it. docs/configuration.md is made from this class.
 */
public final class MillraceOptions {
    private static final String PREFIX = "millrace.";

    // ---- the model

    /** The model's file. */
    public static final ConfigOption<String> MODEL_FILE = key("millrace.model.file")
            .stringType()
            .noDefaultValue()
            .withDescription("The GGUF file of the model to serve. Without it, the model repository is asked.");

    /** Where models lie. */
    public static final ConfigOption<String> MODEL_REPOSITORY = key("millrace.model.repository")
            .stringType()
            .noDefaultValue()
            .withDescription("A directory of models, each NAME/config.pbtxt and NAME/VERSION/model.gguf.");

    /** The model's name. */
    public static final ConfigOption<String> MODEL_NAME = key("millrace.model.name")
            .stringType()
            .noDefaultValue()
            .withDescription("The name that clients call the model by, and its directory in the repository."
                    + " Without it, the model file's name without its ending.");

    // ---- the backend

    /** Which backend runs the model. */
    public static final ConfigOption<String> BACKEND = key("millrace.backend.name")
            .stringType()
            .defaultValue(Backends.AUTO)
            .withDescription(
                    "The backend that runs the model: cuda, cpu or sim. auto is cuda where that finds a device,"
                            + " and cpu elsewhere; the log says why.");

    /** Settings of the backend's own. */
    public static final ConfigOption<Map<String, String>> BACKEND_PARAMETERS = key("millrace.backend.parameters")
            .mapType()
            .defaultValue(Map.of())
            .withDescription("Settings of the backend's own, as name:value,name:value. docs/sim.md has those of sim;"
                    + " cpu has none. Where the backend is auto, each begins with its backend's name and a dot, and"
                    + " those of the backend that is chosen count.");

    /** Compute threads. */
    public static final ConfigOption<Integer> BACKEND_THREADS = key("millrace.backend.threads")
            .intType()
            .defaultValue(0)
            .withDescription("Compute threads of a backend that computes on the host; 0 is one a processor.");

    /** Which device. */
    public static final ConfigOption<Integer> BACKEND_DEVICE = key("millrace.backend.device")
            .intType()
            .defaultValue(ModelSettings.ANY_DEVICE)
            .withDescription("Index of the device to run on, among those of the backend's kind. -1 is one of those that"
                    + " Flink's external resource gpu gives the TaskManager, where that is configured, or else of those"
                    + " there are: subtasks go round.");

    // ---- the engine

    /** Tokens in a KV block. */
    public static final ConfigOption<Integer> BLOCK_SIZE_TOKENS = key("millrace.engine.block-size-tokens")
            .intType()
            .defaultValue(32)
            .withDescription("Tokens whose keys and values one KV block holds.");

    /** Memory of the KV blocks. */
    public static final ConfigOption<MemorySize> KV_MEMORY = key("millrace.engine.kv-memory")
            .memoryType()
            .noDefaultValue()
            .withDescription("Memory of the engine's KV blocks, allocated at its start. Without it 512 MiB on a backend"
                    + " that computes on the host; on a device what millrace.engine.device-memory-fraction says.");

    /** Share of a device's memory. */
    public static final ConfigOption<Double> DEVICE_MEMORY_FRACTION = key("millrace.engine.device-memory-fraction")
            .doubleType()
            .defaultValue(KvPoolSize.DEFAULT_FREE_FRACTION)
            .withDescription("Share of a device's memory, of what is free beside the weights and the reserve, that the"
                    + " engine's KV blocks take where neither their number nor their memory is set. A second engine on"
                    + " the device finds what the first has left: set their memory then.");

    /** Device memory that is left to others. */
    public static final ConfigOption<MemorySize> DEVICE_MEMORY_RESERVE = key("millrace.engine.device-memory-reserve")
            .memoryType()
            .defaultValue(new MemorySize(KvPoolSize.DEFAULT_RESERVE_BYTES))
            .withDescription("Memory of a device that the engine's KV blocks leave to others before they take their"
                    + " share.");

    /** Number of KV blocks. */
    public static final ConfigOption<Integer> BLOCK_COUNT = key("millrace.engine.block-count")
            .intType()
            .defaultValue(0)
            .withDescription("Number of the engine's KV blocks; 0 is as many as their memory holds.");

    /** Tokens of a batch. */
    public static final ConfigOption<Integer> MAX_BATCH_TOKENS = key("millrace.engine.max-batch-tokens")
            .intType()
            .defaultValue(512)
            .withDescription("Most tokens that one step computes, of prefill and decode together.");

    /** Sequences of a batch. */
    public static final ConfigOption<Integer> MAX_BATCH_SEQUENCES = key("millrace.engine.max-batch-sequences")
            .intType()
            .defaultValue(64)
            .withDescription("Most sequences that one step advances.");

    /** The engine's waiting queue. */
    public static final ConfigOption<Integer> QUEUE_CAPACITY = key("millrace.engine.queue-capacity")
            .intType()
            .defaultValue(1024)
            .withDescription("Most sequences that wait in the engine. Operators hold turns back beyond it.");

    /** The longest turn. */
    public static final ConfigOption<Integer> MAX_MODEL_TOKENS = key("millrace.engine.max-model-tokens")
            .intType()
            .defaultValue(0)
            .withDescription("Most tokens of a turn, prompt and output; 0 is the context that the model was made for.");

    /** How long an engine that nobody leases stays. */
    public static final ConfigOption<Duration> ENGINE_LINGER = key("millrace.engine.linger")
            .durationType()
            .defaultValue(Duration.ofSeconds(60))
            .withDescription("How long weights and KV blocks stay in memory after the last operator gave the engine"
                    + " back, so that a job that restarts finds them.");

    // ---- speculation

    /** Whether tokens are drafted. */
    public static final ConfigOption<Boolean> SPECULATION_ENABLED = key("millrace.speculation.enabled")
            .booleanType()
            .defaultValue(true)
            .withDescription("Whether Decode has the engine draft tokens and verify them several a step. No output"
                    + " depends on it.");

    /** Whose drafts. */
    public static final ConfigOption<List<DrafterKind>> SPECULATION_DRAFTERS = key("millrace.speculation.drafters")
            .enumType(DrafterKind.class)
            .asList()
            .defaultValues(DrafterKind.CONSTRAINT, DrafterKind.LOOKUP, DrafterKind.MODEL)
            .withDescription("Whose drafts turns take that do not ask for fewer: CONSTRAINT is the only way on that a"
                    + " form of the output leaves, LOOKUP what followed the same tokens in the turn before, MODEL a"
                    + " draft model, if there is one.");

    /** How long a draft may be. */
    public static final ConfigOption<Integer> SPECULATION_MAX_DRAFT_TOKENS =
            key("millrace.speculation.max-draft-tokens")
                    .intType()
                    .defaultValue(SpeculationParameters.DEFAULT_MAX_DRAFT_TOKENS)
                    .withDescription(
                            "Most tokens of one draft; how many there are follows from how many are accepted and from"
                                    + " what the batch has room for.");

    /** The draft model's file. */
    public static final ConfigOption<String> SPECULATION_DRAFT_MODEL = key("millrace.speculation.draft-model")
            .stringType()
            .noDefaultValue()
            .withDescription("The GGUF file of a smaller model that drafts tokens. It must have the vocabulary of the"
                    + " model that is served, token for token. Its weights and KV blocks are on the same device"
                    + " beside that model's. Without it there are no drafts of a model.");

    /** Memory of the draft model's KV blocks. */
    public static final ConfigOption<MemorySize> SPECULATION_DRAFT_KV_MEMORY =
            key("millrace.speculation.draft-kv-memory")
                    .memoryType()
                    .defaultValue(MemorySize.ofMebiBytes(128))
                    .withDescription("Memory of the draft model's KV blocks, allocated at the engine's start beside"
                            + " millrace.engine.kv-memory. Sequences that it has no room for get no drafts"
                            + " of the model.");

    // ---- the operators

    /** Parallelism of the source. */
    public static final ConfigOption<Integer> SOURCE_PARALLELISM = key("millrace.source.parallelism")
            .intType()
            .defaultValue(1)
            .withDescription("Parallelism of the source of requests. The in-process one has one reader, always.");

    /** Parallelism of SessionRouter. */
    public static final ConfigOption<Integer> ROUTER_PARALLELISM = key("millrace.router.parallelism")
            .intType()
            .defaultValue(1)
            .withDescription("Parallelism of SessionRouter.");

    /** Requests remembered. */
    public static final ConfigOption<Integer> REMEMBERED_REQUESTS = key("millrace.router.remembered-requests")
            .intType()
            .defaultValue(128)
            .withDescription("Request ids that a session remembers to recognise repeated ones; the oldest go first.");

    /** How long a request id is remembered. */
    public static final ConfigOption<Duration> REQUEST_TTL = key("millrace.router.request-ttl")
            .durationType()
            .defaultValue(Duration.ofDays(30))
            .withDescription("How long a session remembers a request id, if its log is kept that long.");

    /** How long a session is remembered. */
    public static final ConfigOption<Duration> SESSION_TTL = key("millrace.router.session-ttl")
            .durationType()
            .defaultValue(Duration.ofDays(30))
            .withDescription("How long a session is kept after its last turn: its log, its last turn, its blocks. Time"
                    + " counts while the job is stopped too. A session that returns later is a new one: its prompt is"
                    + " tokenised and computed anew.");

    /** Parallelism of Prefill. */
    public static final ConfigOption<Integer> PREFILL_PARALLELISM =
            key("millrace.prefill.parallelism").intType().defaultValue(1).withDescription("Parallelism of Prefill.");

    /** When Prefill works. */
    public static final ConfigOption<Integer> PREFILL_MIN_UNCACHED_TOKENS = key("millrace.prefill.min-uncached-tokens")
            .intType()
            .defaultValue(256)
            .withDescription("Prefill computes a prompt of which more than so many tokens are not cached. It passes"
                    + " others on at once: Decode computes them between its own steps.");

    /** Turns in Prefill. */
    public static final ConfigOption<Integer> PREFILL_PENDING_TURNS = key("millrace.prefill.pending-turns")
            .intType()
            .defaultValue(256)
            .withDescription("Most turns that a Prefill subtask holds; beyond them it reads no more input.");

    /** Engines and slots of their own. */
    public static final ConfigOption<Boolean> DISAGGREGATION_ENABLED = key("millrace.disaggregation.enabled")
            .booleanType()
            .defaultValue(false)
            .withDescription("Whether Prefill runs in a slot-sharing group of its own, on another TaskManager where"
                    + " there are two, and Prefill and Decode have an engine each. KV blocks then go from one to the"
                    + " other as records; Decode needs its HOST tier to take them.");

    /** Prefill's slots. */
    public static final ConfigOption<String> DISAGGREGATION_PREFILL_SLOTS =
            key("millrace.disaggregation.prefill-slot-group")
                    .stringType()
                    .defaultValue("prefill")
                    .withDescription(
                            "The slot-sharing group of Prefill, if it has one of its own; the other operators are in"
                                    + " \"default\".");

    /** What Prefill's slots have. */
    public static final ConfigOption<Map<String, String>> DISAGGREGATION_PREFILL_RESOURCES =
            key("millrace.disaggregation.prefill-resources")
                    .mapType()
                    .noDefaultValue()
                    .withDescription(
                            "What a slot of Prefill's group has: cpu (cores) and task-heap (memory), both needed,"
                                    + " task-off-heap and managed (memory), and any other key is an external"
                                    + " resource and how much of it, such as gpu:1. Set for both groups or for none,"
                                    + " and then with Flink's fine-grained resources.");

    /** What the other slots have. */
    public static final ConfigOption<Map<String, String>> DISAGGREGATION_DECODE_RESOURCES =
            key("millrace.disaggregation.decode-resources")
                    .mapType()
                    .noDefaultValue()
                    .withDescription("What a slot of the other operators has, Decode among them; as"
                            + " millrace.disaggregation.prefill-resources.");

    /** Steps of an engine that only prefills. */
    public static final ConfigOption<Integer> PREFILL_BATCH_TOKENS = key("millrace.disaggregation.prefill-batch-tokens")
            .intType()
            .defaultValue(256)
            .withDescription("Most tokens of a step of an engine that Prefill has for itself. Blocks go to Decode after"
                    + " each step, so the smaller the last one is, the less a turn waits for its blocks.");

    /** Memory on the way to Decode. */
    public static final ConfigOption<MemorySize> HANDOVER_COPY_MEMORY = key("millrace.disaggregation.copy-memory")
            .memoryType()
            .defaultValue(MemorySize.ofMebiBytes(24))
            .withDescription("Memory on the heap of a Prefill subtask for copies of blocks on their way to Decode; at"
                    + " least two blocks.");

    /** Parallelism of Decode. */
    public static final ConfigOption<Integer> DECODE_PARALLELISM =
            key("millrace.decode.parallelism").intType().defaultValue(1).withDescription("Parallelism of Decode.");

    /** Turns in Decode. */
    public static final ConfigOption<Integer> DECODE_PENDING_TURNS = key("millrace.decode.pending-turns")
            .intType()
            .defaultValue(256)
            .withDescription("Most turns of a Decode subtask that wait for room in the engine; beyond them it reads no"
                    + " more input.");

    /** How far the engine runs ahead. */
    public static final ConfigOption<Integer> DECODE_UNACKNOWLEDGED_STEPS =
            key("millrace.decode.max-unacknowledged-steps")
                    .intType()
                    .defaultValue(4)
                    .withDescription(
                            "Steps that the engine may be ahead of what a Decode subtask has sent downstream. A full"
                                    + " output holds the subtask's sequences back by it.");

    /** When a cancelled turn's end is said. */
    public static final ConfigOption<Boolean> DECODE_SAVE_CANCELS_FIRST = key("millrace.decode.save-cancels-first")
            .booleanType()
            .noDefaultValue()
            .withDescription(
                    "Whether a cancelled turn ends only when a checkpoint has the cancel; its tokens end at once. A"
                            + " restored job then says nothing behind an end that readers have seen. By default only"
                            + " with Kafka, at least once.");

    // ---- the tiers below the device

    /** Whether there is a HOST tier. */
    public static final ConfigOption<Boolean> HOST_TIER_ENABLED = key("millrace.host-tier.enabled")
            .booleanType()
            .defaultValue(true)
            .withDescription("Whether Decode keeps KV blocks in Flink's managed memory, as many as it is given"
                    + " (taskmanager.memory.managed.size and its consumer-weights).");

    /** HOST's share. */
    public static final ConfigOption<Integer> HOST_TIER_WEIGHT = key("millrace.host-tier.weight")
            .intType()
            .defaultValue(70)
            .withDescription("Decode's weight among the operators of a slot that want managed memory. Millrace has no"
                    + " other; what RocksDB takes beside them is for taskmanager.memory.managed.consumer-weights.");

    /** HOST's limit. */
    public static final ConfigOption<MemorySize> HOST_TIER_MAX_SIZE = key("millrace.host-tier.max-size")
            .memoryType()
            .noDefaultValue()
            .withDescription("Most managed memory that a Decode subtask takes for blocks; none is all it is given.");

    /** Whether there is a STATE tier. */
    public static final ConfigOption<Boolean> STATE_TIER_ENABLED = key("millrace.state-tier.enabled")
            .booleanType()
            .defaultValue(true)
            .withDescription("Whether sessions' KV blocks are part of the job's state, and so of checkpoints and"
                    + " savepoints. Without them a restored session's context is computed again.");

    /** STATE's limit. */
    public static final ConfigOption<MemorySize> STATE_TIER_MAX_SIZE = key("millrace.state-tier.max-size")
            .memoryType()
            .defaultValue(MemorySize.ofMebiBytes(16 * 1024))
            .withDescription("Most bytes of blocks in the state of a Decode subtask. Beyond them the sessions that were"
                    + " active least recently lose theirs.");

    /** The disk's reserve. */
    public static final ConfigOption<MemorySize> STATE_TIER_MIN_FREE_DISK = key("millrace.state-tier.min-free-disk")
            .memoryType()
            .defaultValue(MemorySize.ofMebiBytes(1024))
            .withDescription("No blocks are written to state while the disk has less room than this.");

    /** When running turns save. */
    public static final ConfigOption<Integer> STATE_TIER_MIN_BLOCKS = key("millrace.state-tier.min-blocks")
            .intType()
            .defaultValue(16)
            .withDescription("A running turn's blocks are saved whenever so many are not yet; those of a turn that"
                    + " ended are saved however few they are.");

    /** Memory on the way to state. */
    public static final ConfigOption<MemorySize> STATE_TIER_COPY_MEMORY = key("millrace.state-tier.copy-memory")
            .memoryType()
            .defaultValue(MemorySize.ofMebiBytes(24))
            .withDescription("Memory of a Decode subtask for copies of blocks on their way to state, where the HOST"
                    + " tier has no room for them; at least two blocks.");

    /** What sessions keep. */
    public static final ConfigOption<TierSettings.Retention> STATE_TIER_RETENTION = key("millrace.state-tier.retention")
            .enumType(TierSettings.Retention.class)
            .defaultValue(TierSettings.Retention.LEAST_RECENTLY_USED)
            .withDescription("Which blocks sessions keep in state: LEAST_RECENTLY_USED all of them until there are too"
                    + " many, DROP_AFTER_TURN none once a turn has ended.");

    /** Load or compute. */
    public static final ConfigOption<LoadPolicy> TIERS_LOAD = key("millrace.tiers.load")
            .enumType(LoadPolicy.class)
            .defaultValue(LoadPolicy.MEASURED)
            .withDescription("Whether blocks of a lower tier are loaded or computed again: MEASURED is what is faster"
                    + " by the rates of both, ALWAYS and NEVER are for tests and measurements.");

    /** Maximum parallelism. */
    public static final ConfigOption<Integer> MAX_PARALLELISM = key("millrace.job.max-parallelism")
            .intType()
            .defaultValue(128)
            .withDescription("Maximum parallelism of the keyed operators. It is a part of every savepoint: a job can"
                    + " never be restored with another one.");

    /** When records leave. */
    public static final ConfigOption<Duration> BUFFER_TIMEOUT = key("millrace.job.buffer-timeout")
            .durationType()
            .defaultValue(Duration.ZERO)
            .withDescription("How long a record may wait for others in an output buffer; 0 sends each one at once.");

    /** The job's name. */
    public static final ConfigOption<String> JOB_NAME =
            key("millrace.job.name").stringType().defaultValue("millrace").withDescription("The job's name in Flink.");

    // ---- where requests come from

    /** What carries requests and chunks. */
    public static final ConfigOption<Connector> CONNECTOR = key("millrace.connector")
            .enumType(Connector.class)
            .defaultValue(Connector.LOCAL)
            .withDescription("What carries requests and chunks: LOCAL is the embedded job's in-process port, KAFKA is"
                    + " topics (millrace.kafka.*).");

    /** What may carry requests and chunks. */
    public enum Connector {
        /** An in-process port. */
        LOCAL,
        /** Topics. */
        KAFKA
    }

    // ---- the in-process port

    /** Open turns. */
    public static final ConfigOption<Integer> LOCAL_OPEN_TURNS = key("millrace.local.open-turns")
            .intType()
            .defaultValue(4096)
            .withDescription("Turns that may be open at a time in the embedded job; more are refused.");

    /** Waiting requests. */
    public static final ConfigOption<Integer> LOCAL_QUEUE_CAPACITY = key("millrace.local.queue-capacity")
            .intType()
            .defaultValue(1024)
            .withDescription("Requests that may wait for the embedded job to read them; more are refused.");

    /** Ended turns that stay readable. */
    public static final ConfigOption<Integer> LOCAL_RETAINED_TURNS = key("millrace.local.retained-turns")
            .intType()
            .defaultValue(1024)
            .withDescription("Ended turns whose output stays readable in the embedded job.");

    /** Bytes that ended turns take. */
    public static final ConfigOption<MemorySize> LOCAL_RETAINED_MEMORY = key("millrace.local.retained-memory")
            .memoryType()
            .defaultValue(MemorySize.ofMebiBytes(64))
            .withDescription("Memory that the output of ended turns may take in the embedded job, about.");

    private MillraceOptions() {}

    /** Every option, by its key. */
    public static List<ConfigOption<?>> all() {
        List<ConfigOption<?>> options = new ArrayList<>(List.of(
                MODEL_FILE,
                MODEL_REPOSITORY,
                MODEL_NAME,
                BACKEND,
                BACKEND_PARAMETERS,
                BACKEND_THREADS,
                BACKEND_DEVICE,
                BLOCK_SIZE_TOKENS,
                KV_MEMORY,
                DEVICE_MEMORY_FRACTION,
                DEVICE_MEMORY_RESERVE,
                BLOCK_COUNT,
                MAX_BATCH_TOKENS,
                MAX_BATCH_SEQUENCES,
                QUEUE_CAPACITY,
                MAX_MODEL_TOKENS,
                ENGINE_LINGER,
                SPECULATION_ENABLED,
                SPECULATION_DRAFTERS,
                SPECULATION_MAX_DRAFT_TOKENS,
                SPECULATION_DRAFT_MODEL,
                SPECULATION_DRAFT_KV_MEMORY,
                SOURCE_PARALLELISM,
                ROUTER_PARALLELISM,
                REMEMBERED_REQUESTS,
                REQUEST_TTL,
                SESSION_TTL,
                PREFILL_PARALLELISM,
                PREFILL_MIN_UNCACHED_TOKENS,
                PREFILL_PENDING_TURNS,
                DISAGGREGATION_ENABLED,
                DISAGGREGATION_PREFILL_SLOTS,
                DISAGGREGATION_PREFILL_RESOURCES,
                DISAGGREGATION_DECODE_RESOURCES,
                PREFILL_BATCH_TOKENS,
                HANDOVER_COPY_MEMORY,
                DECODE_PARALLELISM,
                DECODE_PENDING_TURNS,
                DECODE_UNACKNOWLEDGED_STEPS,
                DECODE_SAVE_CANCELS_FIRST,
                HOST_TIER_ENABLED,
                HOST_TIER_WEIGHT,
                HOST_TIER_MAX_SIZE,
                STATE_TIER_ENABLED,
                STATE_TIER_MAX_SIZE,
                STATE_TIER_MIN_FREE_DISK,
                STATE_TIER_MIN_BLOCKS,
                STATE_TIER_COPY_MEMORY,
                STATE_TIER_RETENTION,
                TIERS_LOAD,
                MAX_PARALLELISM,
                BUFFER_TIMEOUT,
                JOB_NAME,
                CONNECTOR,
                LOCAL_OPEN_TURNS,
                LOCAL_QUEUE_CAPACITY,
                LOCAL_RETAINED_TURNS,
                LOCAL_RETAINED_MEMORY));
        options.addAll(KafkaOptions.all());
        options.sort(Comparator.comparing(ConfigOption::key));
        return List.copyOf(options);
    }

    /**
     * Checks that every key of Millrace's is one that is known, and has a value that can be read.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the keys that are not known, or the value that is wrong
     */
    public static void check(Configuration configuration) {
        List<String> unknown = new ArrayList<>();
        for (String key : configuration.keySet()) {
            if (key.startsWith(PREFIX) && all().stream().noneMatch(option -> isOf(key, option))) {
                unknown.add(key);
            }
        }
        if (!unknown.isEmpty()) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "these options are not known: " + unknown);
        }
        for (ConfigOption<?> option : all()) {
            try {
                configuration.get(option);
            } catch (IllegalArgumentException e) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST, "option " + option.key() + " is wrong: " + e.getMessage(), e);
            }
        }
    }

    private static boolean isOf(String key, ConfigOption<?> option) {
        // A map's keys may go on behind a dot.
        return key.equals(option.key()) || option.defaultValue() instanceof Map && key.startsWith(option.key() + ".");
    }
}
