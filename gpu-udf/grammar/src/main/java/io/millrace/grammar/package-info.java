/** What a constrained output may be: grammars over bytes, and which tokens they allow next. */
@org.jspecify.annotations.NullMarked
package io.millrace.grammar;
