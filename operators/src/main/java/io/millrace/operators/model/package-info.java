/** A model file as operators use it: its engine and its text side, each once in a process. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.model;
