/**
 * Tokenizers built from a model's own vocabulary, and what turns tokens back into text.
 *
 * <p>Tokens are those of llama.cpp on the same file. Where it and the tokenizer that a model was trained with disagree,
 * they are the latter's: pre-tokenizers follow the expressions that the models' makers published (llama.cpp
 * approximates that of Tekken, and takes no long s for an s in a contraction); text in plain input never becomes a
 * control token, not even by merges; {@code </s>} ends a turn only where a file says so (in Gemma's vocabulary it is an
 * HTML tag). As in llama.cpp, text is not brought into normal form C first, which Qwen's own tokenizer does.
 */
@org.jspecify.annotations.NullMarked
package io.millrace.text.tokenizer;
