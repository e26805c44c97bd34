/** What turns' outputs are held to: which demands a request makes, and the grammars of them over a model's tokens. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.grammar;
