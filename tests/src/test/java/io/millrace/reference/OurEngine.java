package io.millrace.reference;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StopCondition;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.model.GgufModel;
import io.millrace.text.tokenizer.Tokenizer;
import io.millrace.text.tokenizer.Tokenizers;
import io.millrace.text.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Millrace's engine on a model, stepped by the test that uses it. */
final class OurEngine implements AutoCloseable {
    private static final int CONTEXT = 1024;
    private static final int MAX_STEPS = 10_000;

    private final RecordingInstance instance;
    private final Engine engine;
    private final Tokenizer tokenizer;
    private int sequenceNumber;

    OurEngine(Path file, int threads) {
        GgufModel model = GgufModel.open(file);
        tokenizer = Tokenizers.of(Vocabulary.fromMetadata(model.metadata()));
        InstanceSpec spec = new InstanceSpec(model, 40, 32, 512, 4, CONTEXT, 0, threads);
        instance = new RecordingInstance(Backends.find("cpu").load(spec));
        EngineOptions options = EngineOptions.of("reference", Set.of(tokenizer.eosId()), CONTEXT)
                .withLimits(512, 4, 4);
        engine = new Engine(options, instance, model);
    }

    /**
     * What became of a prompt.
     *
     * @param tokens the output, without the end token
     * @param logits those that each token, and the end token if there is one, was chosen by
     */
    record Output(List<Integer> tokens, List<float[]> logits) {}

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** Generates at most so many tokens greedily. */
    Output greedy(int[] prompt, int tokens) {
        List<SequenceEvent> events = new ArrayList<>();
        EngineLease[] holder = new EngineLease[1];
        try (EngineLease lease = engine.lease(
                "test",
                output -> {
                    events.addAll(output.events());
                    holder[0].acknowledge(output);
                },
                4)) {
            holder[0] = lease;
            String id = "s" + sequenceNumber++;
            Admission admission = lease.submit(new SequenceRequest(
                    id,
                    id,
                    SequenceRequest.Purpose.GENERATE,
                    prompt,
                    new int[0],
                    SamplingParameters.greedy(tokens),
                    id,
                    0,
                    0,
                    StopCondition.NEVER,
                    null));
            if (admission != Admission.ACCEPTED) {
                throw new IllegalStateException("refused: " + admission);
            }
            for (int step = 0; step < MAX_STEPS && !hasEnded(events); step++) {
                engine.doWork();
            }
        }
        engine.doWork();
        engine.checkIntegrity();
        return new Output(tokens(events), instance.takeLogits());
    }

    private static boolean hasEnded(List<SequenceEvent> events) {
        for (SequenceEvent event : events) {
            if (event instanceof SequenceEvent.Failed failed) {
                throw new IllegalStateException(failed.message());
            }
            if (event instanceof SequenceEvent.Finished) {
                return true;
            }
        }
        return false;
    }

    private List<Integer> tokens(List<SequenceEvent> events) {
        List<Integer> tokens = new ArrayList<>();
        for (SequenceEvent event : events) {
            if (event instanceof SequenceEvent.Token token && token.tokenId() != tokenizer.eosId()) {
                tokens.add(token.tokenId());
            }
        }
        return tokens;
    }

    @Override
    public void close() {
        engine.close();
    }
}
