package io.millrace.job.graph;

import io.millrace.connector.kafka.KafkaChunkOptions;
import io.millrace.connector.kafka.KafkaChunks;
import io.millrace.connector.kafka.KafkaRequests;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.local.LocalPortOptions;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.HandoverTypeInfo;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.flink.SessionPlacementTypeInfo;
import io.millrace.kv.rocksdb.BlockStateOptionsFactory;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ServedModel;
import io.millrace.operators.decode.DecodeOperatorFactory;
import io.millrace.operators.decode.DecodeSettings;
import io.millrace.operators.handover.HandoverSettings;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.operators.prefill.PrefillOperatorFactory;
import io.millrace.operators.prefill.PrefillSettings;
import io.millrace.operators.router.PlacementPolicy;
import io.millrace.operators.router.RouterSettings;
import io.millrace.operators.router.SessionRouterOperatorFactory;
import io.millrace.operators.tiers.TierSettings;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.operators.SlotSharingGroup;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The job's graph:
 *
 * <pre>
 *   requests | by session   | SessionRouter
 *            | by placement | Prefill
 *            | by placement | Decode | chunks
 * </pre>
 *
 * <p>With disaggregation Prefill has slots and an engine of its own, and KV blocks go to Decode on the turns' stream.
 *
 * <p>Every operator has a fixed uid, so that a savepoint fits the next version; no type is Flink's generic one.
 */
public final class MillraceJob {
    /** The uid of the source of requests. */
    public static final String REQUESTS_UID = "millrace-requests";
    /** SessionRouter's uid. */
    public static final String ROUTER_UID = "millrace-session-router";
    /** Prefill's uid. */
    public static final String PREFILL_UID = "millrace-prefill";
    /** Decode's uid. */
    public static final String DECODE_UID = "millrace-decode";
    /** The uid of the sink of chunks. */
    public static final String CHUNKS_UID = "millrace-chunks";

    private MillraceJob() {}

    /**
     * Puts the job with an in-process port into an environment.
     *
     * @param configuration Flink's options and Millrace's
     * @param portName the name of a {@link io.millrace.connector.local.LocalPort} that is open when the job starts
     */
    public static void define(StreamExecutionEnvironment environment, Configuration configuration, String portName) {
        define(
                environment,
                configuration,
                servedModel(configuration),
                new LocalSource(portName),
                new LocalSink(portName));
    }

    /**
     * Puts the job with a source and a sink into an environment.
     *
     * @param configuration Flink's options and Millrace's
     * @param model what is served
     * @param source brings the requests
     * @param sink takes the chunks
     */
    public static void define(
            StreamExecutionEnvironment environment,
            Configuration configuration,
            ServedModel model,
            Source<AgentRequest, ?, ?> source,
            Sink<TokenChunk> sink) {
        environment.configure(flinkConfiguration(configuration));
        DataStream<AgentRequest> requests = environment
                .fromSource(
                        source,
                        WatermarkStrategy.noWatermarks(),
                        "requests",
                        ProtoTypeInfo.ofMessage(AgentRequest.class))
                .uid(REQUESTS_UID)
                .setParallelism(configuration.get(MillraceOptions.SOURCE_PARALLELISM));
        serve(requests, configuration, model, sink);
    }

    /**
     * Puts the job whose requests and chunks are in Kafka into an environment.
     *
     * @param configuration Flink's options and Millrace's
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} naming the option that is missing or wrong
     */
    public static void defineOverKafka(
            StreamExecutionEnvironment environment, Configuration configuration, ServedModel model) {
        KafkaSettings settings = KafkaConfiguration.settings(configuration);
        if (!configuration.contains(MillraceOptions.DECODE_SAVE_CANCELS_FIRST)) {
            // What is in a transaction that was not committed is taken back.
            boolean takenBack = configuration.get(KafkaOptions.DELIVERY) == KafkaChunkOptions.Delivery.EXACTLY_ONCE;
            configuration.set(MillraceOptions.DECODE_SAVE_CANCELS_FIRST, !takenBack);
        }
        Sink<TokenChunk> sink = KafkaChunks.sink(settings, KafkaConfiguration.chunkOptions(configuration));
        environment.configure(flinkConfiguration(configuration));
        DataStream<AgentRequest> requests = KafkaRequests.read(
                environment,
                settings,
                KafkaConfiguration.requestOptions(configuration),
                REQUESTS_UID,
                configuration.get(MillraceOptions.SOURCE_PARALLELISM));
        serve(requests, configuration, model, sink);
    }

    private static void serve(
            DataStream<AgentRequest> requests, Configuration configuration, ServedModel model, Sink<TokenChunk> sink) {
        DataStream<Turn> routed = route(requests, configuration, model);
        SlotGroups slots = SlotGroups.of(configuration);
        boolean disaggregated = configuration.get(MillraceOptions.DISAGGREGATION_ENABLED);
        DataStream<HandoverRecord> prefilled = prefill(
                routed, configuration, disaggregated ? model.inRole(EngineRole.PREFILL) : model, slots.prefill());
        DataStreamSink<TokenChunk> sunk = decode(
                        prefilled,
                        configuration,
                        disaggregated ? model.inRole(EngineRole.DECODE) : model,
                        slots.others())
                .sinkTo(sink)
                .uid(CHUNKS_UID)
                .name("chunks")
                .slotSharingGroup(slots.others())
                .setParallelism(configuration.get(MillraceOptions.DECODE_PARALLELISM));
        if (!(sink instanceof LocalSink)) {
            // A sink that may block must not block Decode's thread: what waits for it waits in the buffers between.
            sunk.disableChaining();
        }
    }

    private static DataStream<Turn> route(
            DataStream<AgentRequest> requests, Configuration configuration, ServedModel model) {
        RouterSettings settings = new RouterSettings(
                modelName(configuration),
                configuration.get(MillraceOptions.REMEMBERED_REQUESTS),
                configuration.get(MillraceOptions.REQUEST_TTL),
                configuration.get(MillraceOptions.SESSION_TTL));
        return requests.keyBy(AgentRequest::getSessionId, Types.STRING)
                .transform(
                        "SessionRouter",
                        ProtoTypeInfo.ofMessage(Turn.class),
                        new SessionRouterOperatorFactory(model, settings, PlacementPolicy.BY_SESSION_ID))
                .uid(ROUTER_UID)
                .setParallelism(configuration.get(MillraceOptions.ROUTER_PARALLELISM));
    }

    private static DataStream<HandoverRecord> prefill(
            DataStream<Turn> routed, Configuration configuration, ServedModel model, SlotSharingGroup slots) {
        PrefillSettings settings = new PrefillSettings(
                configuration.get(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS),
                configuration.get(MillraceOptions.PREFILL_PENDING_TURNS),
                new HandoverSettings(
                        configuration.get(MillraceOptions.DISAGGREGATION_ENABLED),
                        configuration.get(MillraceOptions.HANDOVER_COPY_MEMORY).getBytes()));
        return routed.keyBy(MillraceJob::placement, SessionPlacementTypeInfo.INSTANCE)
                .transform("Prefill", HandoverTypeInfo.INSTANCE, new PrefillOperatorFactory(model, settings))
                .uid(PREFILL_UID)
                .slotSharingGroup(slots)
                .setParallelism(configuration.get(MillraceOptions.PREFILL_PARALLELISM));
    }

    private static DataStream<TokenChunk> decode(
            DataStream<HandoverRecord> prefilled,
            Configuration configuration,
            ServedModel model,
            SlotSharingGroup slots) {
        DecodeSettings settings = new DecodeSettings(
                configuration.get(MillraceOptions.DECODE_PENDING_TURNS),
                configuration.get(MillraceOptions.DECODE_UNACKNOWLEDGED_STEPS),
                configuration.get(MillraceOptions.SESSION_TTL),
                configuration
                        .getOptional(MillraceOptions.DECODE_SAVE_CANCELS_FIRST)
                        .orElse(false),
                tierSettings(configuration),
                configuration.get(MillraceOptions.SPECULATION_ENABLED)
                        ? Set.copyOf(configuration.get(MillraceOptions.SPECULATION_DRAFTERS))
                        : Set.of(),
                configuration.get(MillraceOptions.SPECULATION_MAX_DRAFT_TOKENS));
        SingleOutputStreamOperator<TokenChunk> decoded = prefilled
                .keyBy(HandoverRecord::placement, SessionPlacementTypeInfo.INSTANCE)
                .transform(
                        "Decode",
                        ProtoTypeInfo.ofMessage(TokenChunk.class),
                        new DecodeOperatorFactory(model, model, settings))
                .uid(DECODE_UID)
                .slotSharingGroup(slots)
                .setParallelism(configuration.get(MillraceOptions.DECODE_PARALLELISM));
        if (configuration.get(MillraceOptions.HOST_TIER_ENABLED)) {
            DecodeOperatorFactory.declareManagedMemory(
                    decoded.getTransformation(), configuration.get(MillraceOptions.HOST_TIER_WEIGHT));
        }
        return decoded;
    }

    /** How sessions use the tiers below the device. */
    static TierSettings tierSettings(Configuration configuration) {
        MemorySize hostMax = configuration.get(MillraceOptions.HOST_TIER_MAX_SIZE);
        long hostMaxBytes = hostMax == null ? Long.MAX_VALUE : hostMax.getBytes();
        return new TierSettings(
                configuration.get(MillraceOptions.HOST_TIER_ENABLED) ? hostMaxBytes : 0,
                configuration.get(MillraceOptions.STATE_TIER_ENABLED),
                configuration.get(MillraceOptions.STATE_TIER_MAX_SIZE).getBytes(),
                configuration.get(MillraceOptions.STATE_TIER_MIN_FREE_DISK).getBytes(),
                configuration.get(MillraceOptions.STATE_TIER_MIN_BLOCKS),
                configuration.get(MillraceOptions.STATE_TIER_COPY_MEMORY).getBytes(),
                configuration.get(MillraceOptions.STATE_TIER_RETENTION),
                configuration.get(MillraceOptions.TIERS_LOAD),
                configuration.get(MillraceOptions.SESSION_TTL));
    }

    /**
     * The model that a job of this configuration serves; its key finds the job's engine in this process.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the configuration names no model, {@code
     *     MODEL_NOT_FOUND} if it is not there
     */
    public static GgufServedModel servedModel(Configuration configuration) {
        return new GgufServedModel(ModelResolution.resolve(configuration));
    }

    /** The limits of the in-process port. */
    public static LocalPortOptions portOptions(Configuration configuration) {
        return new LocalPortOptions(
                configuration.get(MillraceOptions.LOCAL_OPEN_TURNS),
                configuration.get(MillraceOptions.LOCAL_QUEUE_CAPACITY),
                configuration.get(MillraceOptions.LOCAL_RETAINED_TURNS),
                configuration.get(MillraceOptions.LOCAL_RETAINED_MEMORY).getBytes());
    }

    /**
     * The name that clients call the model by.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the configuration names no model
     */
    public static String modelName(Configuration configuration) {
        return ModelResolution.modelName(configuration);
    }

    /**
     * Flink's options for the job: what Millrace needs, and what it takes where nothing is said. Whatever the given
     * configuration sets of the latter stays.
     */
    static Configuration flinkConfiguration(Configuration given) {
        Configuration configuration = new Configuration(given);
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        // Records are immutable messages.
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(PipelineOptions.AUTO_WATERMARK_INTERVAL, Duration.ZERO);
        configuration.set(PipelineOptions.NAME, given.get(MillraceOptions.JOB_NAME));
        configuration.set(PipelineOptions.MAX_PARALLELISM, given.get(MillraceOptions.MAX_PARALLELISM));
        configuration.set(ExecutionOptions.BUFFER_TIMEOUT, given.get(MillraceOptions.BUFFER_TIMEOUT));
        unlessGiven(configuration, CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(10));
        // A full output must not hold a checkpoint back.
        unlessGiven(configuration, CheckpointingOptions.ENABLE_UNALIGNED, true);
        // Storage that cannot be written for a while costs durability, and need not cost the service too.
        unlessGiven(configuration, CheckpointingOptions.TOLERABLE_FAILURE_NUMBER, Integer.MAX_VALUE);
        unlessGiven(configuration, RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
        stateDefaults(configuration);
        return configuration;
    }

    /** State that holds blocks: in files, of which a checkpoint uploads those that are new. */
    private static void stateDefaults(Configuration configuration) {
        unlessGiven(configuration, StateBackendOptions.STATE_BACKEND, "rocksdb");
        unlessGiven(configuration, CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        // Without it a rescaled job uploads its neighbours' blocks once more.
        unlessGiven(configuration, RocksDBConfigurableOptions.USE_DELETE_FILES_IN_RANGE_DURING_RESCALING, true);
        unlessGiven(configuration, RocksDBOptions.OPTIONS_FACTORY, BlockStateOptionsFactory.class.getName());
        unlessGiven(
                configuration,
                TaskManagerOptions.MANAGED_MEMORY_CONSUMER_WEIGHTS,
                Map.of(
                        TaskManagerOptions.MANAGED_MEMORY_CONSUMER_NAME_OPERATOR, "70",
                        TaskManagerOptions.MANAGED_MEMORY_CONSUMER_NAME_STATE_BACKEND, "30"));
    }

    private static <T> void unlessGiven(Configuration configuration, ConfigOption<T> option, T value) {
        if (!configuration.contains(option)) {
            configuration.set(option, value);
        }
    }

    private static SessionPlacement placement(Turn turn) {
        return new SessionPlacement(turn.getSessionId(), turn.getPlacementHash());
    }
}
