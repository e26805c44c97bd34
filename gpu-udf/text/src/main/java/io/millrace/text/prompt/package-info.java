/** From a chat request to the text of a prompt. */
@org.jspecify.annotations.NullMarked
package io.millrace.text.prompt;
