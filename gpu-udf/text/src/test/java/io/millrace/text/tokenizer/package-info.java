/** Tests of the tokenizers. */
@org.jspecify.annotations.NullMarked
package io.millrace.text.tokenizer;
