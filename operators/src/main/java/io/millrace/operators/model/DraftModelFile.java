package io.millrace.operators.model;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufModel;
import java.nio.file.Path;
import java.util.Arrays;

/** The file of a model that drafts tokens for another. */
final class DraftModelFile {
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String[] NONE = {};

    private DraftModelFile() {}

    /**
     * Opens it.
     *
     * @param served what it drafts for
     * @throws ServingException {@code MODEL_FILE_INVALID} if it cannot be read, {@code INVALID_REQUEST} if its tokens
     *     are not those of the model that is served; both name the file
     */
    static GgufModel open(Path file, GgufModel served) {
        GgufModel draft;
        try {
            draft = GgufModel.open(file);
        } catch (ServingException e) {
            throw new ServingException(e.code(), "the draft model " + e.getMessage(), e);
        }
        try {
            checkVocabulary(draft, served);
            return draft;
        } catch (RuntimeException e) {
            draft.close();
            throw e;
        }
    }

    private static void checkVocabulary(GgufModel draft, GgufModel served) {
        int draftSize = draft.spec().vocabSize();
        int servedSize = served.spec().vocabSize();
        if (draftSize != servedSize) {
            throw differs(
                    draft,
                    "has a vocabulary of " + draftSize + " tokens, and " + served.file() + " one of " + servedSize);
        }
        String[] draftTokens = draft.metadata().getStringArray(TOKENS, NONE);
        String[] servedTokens = served.metadata().getStringArray(TOKENS, NONE);
        int first = Arrays.mismatch(draftTokens, servedTokens);
        if (first >= 0) {
            throw differs(
                    draft,
                    "has " + shown(draftTokens, first) + " as token " + first + ", and " + served.file() + " "
                            + shown(servedTokens, first));
        }
    }

    private static String shown(String[] tokens, int id) {
        return id < tokens.length ? "'" + tokens[id] + "'" : "nothing";
    }

    private static ServingException differs(GgufModel draft, String how) {
        return new ServingException(
                ErrorCode.INVALID_REQUEST,
                "the draft model " + draft.file() + " " + how + "; it must have the vocabulary of what is served");
    }
}
