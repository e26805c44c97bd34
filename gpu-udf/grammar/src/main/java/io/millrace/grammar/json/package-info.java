/** JSON Schema as a grammar: the texts that a schema allows, in one fixed form. */
@org.jspecify.annotations.NullMarked
package io.millrace.grammar.json;
