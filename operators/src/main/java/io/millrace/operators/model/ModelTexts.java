package io.millrace.operators.model;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufModel;
import io.millrace.operators.ModelText;
import io.millrace.operators.grammar.OutputGrammars;
import io.millrace.text.template.ChatTemplate;
import io.millrace.text.tokenizer.Tokenizer;
import io.millrace.text.tokenizer.Tokenizers;
import io.millrace.text.tokenizer.Vocabulary;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The text sides of the process's models, one for each file. They are kept for as long as somebody uses them: a
 * vocabulary takes tens of megabytes and a second to read.
 */
final class ModelTexts {
    /** By model file. Entries whose text side is gone are few, for files are few. */
    private static final Map<String, WeakReference<ModelAssets>> OPEN = new HashMap<>();

    /** The metadata of the template that a model was trained with. */
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";

    private ModelTexts() {}

    /** The text side of a model under these settings. */
    static ModelText open(ModelSettings settings) {
        ModelAssets assets = assets(settings.modelFile());
        return new GgufModelText(assets, settings.maxTurnTokens(assets.spec()));
    }

    /** A model's tokenizer. */
    static Tokenizer tokenizer(ModelSettings settings) {
        return assets(settings.modelFile()).tokenizer();
    }

    private static ModelAssets assets(String file) {
        synchronized (OPEN) {
            WeakReference<ModelAssets> reference = OPEN.get(file);
            @Nullable ModelAssets known = reference == null ? null : reference.get();
            if (known != null) {
                return known;
            }
            ModelAssets read = read(file);
            OPEN.put(file, new WeakReference<>(read));
            return read;
        }
    }

    private static ModelAssets read(String file) {
        try (GgufModel model = GgufModel.open(Path.of(file))) {
            Vocabulary vocabulary = Vocabulary.fromMetadata(model.metadata());
            Tokenizer tokenizer = Tokenizers.of(vocabulary);
            String template = model.metadata().findString(CHAT_TEMPLATE);
            if (template == null || template.isEmpty()) {
                template = DefaultTemplates.of(vocabulary.tokens());
            }
            if (template == null) {
                throw new ServingException(
                        ErrorCode.MODEL_FILE_INVALID,
                        file + ": has no " + CHAT_TEMPLATE + ", nor a token that begins a turn, so it cannot chat");
            }
            OutputGrammars grammars = new OutputGrammars(new TokenizerTokens(tokenizer));
            return new ModelAssets(model.spec(), tokenizer, ChatTemplate.compile(template), grammars);
        }
    }
}
