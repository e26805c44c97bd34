package io.millrace.operators.grammar;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.grammar.Grammar;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarVocabulary;
import io.millrace.grammar.TokenGrammar;
import io.millrace.kv.ServingException;
import io.millrace.proto.OutputRules;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The grammars of outputs over one model's tokens. Those that were used lately are kept, and so are the masks of the
 * states that they came through. Safe for use by several threads.
 */
public final class OutputGrammars {
    /** Grammars that are kept. */
    static final int GRAMMARS_MAX = 64;

    /** Bytes of masks that are kept, of all grammars: one of 49,152 tokens takes 6 KiB. */
    private static final long MASK_BYTES_MAX = 64 << 20;

    private record Key(String format, OutputRules rules) {}

    private final OutputTokens tokens;
    private final Map<Key, TokenGrammar> grammars = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, TokenGrammar> eldest) {
            return size() > GRAMMARS_MAX;
        }
    };
    private final Map<Boolean, GrammarVocabulary> vocabularies = new LinkedHashMap<>();

    public OutputGrammars(OutputTokens tokens) {
        this.tokens = requireNonNull(tokens, "tokens");
    }

    /** Whether {@link #constraint} has nothing to do: there are no rules, or they came lately. */
    public boolean isReady(String outputFormat, OutputRules rules) {
        if (isFree(rules)) {
            return true;
        }
        synchronized (grammars) {
            return grammars.get(new Key(outputFormat, rules)) != null;
        }
    }

    /**
     * What holds an output to its rules, as its state before the first token; null where there are none. What is forced
     * to be the output's beginning is not part of it. Takes up to a second for rules that are new and made to take
     * long.
     *
     * @param outputFormat how the output will be read; names an {@link OutputFormat}
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} with the path of what is not supported
     */
    public @Nullable Constraint constraint(String outputFormat, OutputRules rules) {
        return isFree(rules)
                ? null
                : new GrammarConstraint(grammar(outputFormat, rules).start());
    }

    private static boolean isFree(OutputRules rules) {
        return !rules.hasContent() && rules.getToolsCount() == 0;
    }

    private TokenGrammar grammar(String outputFormat, OutputRules rules) {
        Key key = new Key(outputFormat, rules);
        synchronized (grammars) {
            TokenGrammar known = grammars.get(key);
            if (known != null) {
                return known;
            }
        }
        // Two threads may do it at once: the same thing comes of it, and nobody waits for another's grammar.
        OutputFormat format = OutputFormat.named(outputFormat);
        Grammar grammar;
        try {
            grammar =
                    Grammar.compile(OutputGrammar.of(format, rules, tokens.dropsLeadingSpace()), GrammarLimits.DEFAULT);
        } catch (ServingException e) {
            throw e.param() == null ? withParam(e, rules) : e;
        }
        TokenGrammar made = new TokenGrammar(grammar, vocabulary(format.toolCalls()), tokens.forcedTokens());
        synchronized (grammars) {
            grammars.put(key, made);
        }
        return made;
    }

    /** A refusal that names the field at fault, which is the content's where it has a form. */
    private static ServingException withParam(ServingException e, OutputRules rules) {
        String content = rules.getContent().getParam();
        String param = !rules.hasContent() ? "tools" : content.isEmpty() ? "output_constraint" : content;
        return new ServingException(e.code(), param + ": " + e.getMessage(), param, e);
    }

    private GrammarVocabulary vocabulary(ToolCallSyntax syntax) {
        boolean markers = syntax == ToolCallSyntax.MISTRAL || syntax == ToolCallSyntax.LLAMA3_JSON;
        synchronized (vocabularies) {
            return vocabularies.computeIfAbsent(
                    markers, with -> new GrammarVocabulary(tokens.bytes(with), tokens.endTokenIds(), MASK_BYTES_MAX));
        }
    }
}
