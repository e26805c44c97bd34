/** The interpreter of chat templates: the part of Jinja that models' templates use, with Python's semantics. */
@org.jspecify.annotations.NullMarked
package io.millrace.text.template;
