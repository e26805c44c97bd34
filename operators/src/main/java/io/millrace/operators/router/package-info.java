/** SessionRouter: admits, renders, tokenises and places turns. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.router;
