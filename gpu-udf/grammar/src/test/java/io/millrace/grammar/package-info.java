@org.jspecify.annotations.NullUnmarked
package io.millrace.grammar;
