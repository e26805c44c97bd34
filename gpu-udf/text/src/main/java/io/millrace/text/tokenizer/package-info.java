/** Tokenizers built from a model's own vocabulary, and what turns tokens back into text. */
@org.jspecify.annotations.NullMarked
package io.millrace.text.tokenizer;
