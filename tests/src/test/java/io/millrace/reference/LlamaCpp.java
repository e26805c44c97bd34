package io.millrace.reference;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import de.kherud.llama.args.LogFormat;
import java.nio.file.Path;
import java.util.Map;

/**
 * llama.cpp in this process, for comparison. Its binding tells no logits, but takes biases: how far a token must be lifted to
 * become the greedy choice tells the distance of its logit from the highest one.
 */
final class LlamaCpp implements AutoCloseable {
    private static final int CONTEXT = 1024;

    private final LlamaModel model;

    LlamaCpp(Path file, int threads) {
        LlamaModel.setLogger(LogFormat.TEXT, (level, message) -> {});
        // Keys and values as floats, as ours are: by default it keeps them in half precision.
        model = new LlamaModel(new ModelParameters()
                .setModel(file.toString())
                .setThreads(threads)
                .setThreadsBatch(threads)
                .setCtxSize(CONTEXT)
                .setCacheTypeK(CacheType.F32)
                .setCacheTypeV(CacheType.F32)
                .disableLog());
    }

    /** The tokens of a text; texts of special tokens become those. */
    int[] encode(String text) {
        return model.encode(text);
    }

    /** The text of at most so many tokens, chosen greedily. */
    String greedy(String prompt, int tokens) {
        return generate(prompt, tokens, Map.of());
    }

    /** The text of the token that is chosen greedily if another's logit is lifted. */
    String greedyWithBias(String prompt, int tokenId, float bias) {
        return generate(prompt, 1, Map.of(tokenId, bias));
    }

    private String generate(String prompt, int tokens, Map<Integer, Float> bias) {
        InferenceParameters parameters = new InferenceParameters(prompt)
                .setNPredict(tokens)
                .setTemperature(0)
                .setRepeatPenalty(1)
                .setCachePrompt(false)
                .setTokenIdBias(bias);
        StringBuilder text = new StringBuilder();
        for (LlamaOutput output : model.generate(parameters)) {
            text.append(output.text);
        }
        return text.toString();
    }

    @Override
    public void close() {
        model.close();
    }
}
