/** Text in and out of models. */
@org.jspecify.annotations.NullMarked
package io.millrace.text;
