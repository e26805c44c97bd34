package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.model.ModelSpec;
import io.millrace.operators.grammar.OutputGrammars;
import io.millrace.text.template.ChatTemplate;
import io.millrace.text.tokenizer.Tokenizer;

/**
 * What of a model file its text side is made of.
 *
 * @param spec what the model is
 * @param tokenizer its tokenizer
 * @param template its chat template
 * @param grammars what outputs are held to, over its tokens
 */
record ModelAssets(ModelSpec spec, Tokenizer tokenizer, ChatTemplate template, OutputGrammars grammars) {
    ModelAssets {
        requireNonNull(spec, "spec");
        requireNonNull(tokenizer, "tokenizer");
        requireNonNull(template, "template");
        requireNonNull(grammars, "grammars");
    }
}
