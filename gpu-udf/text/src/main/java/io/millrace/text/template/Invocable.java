package io.millrace.text.template;

/** A value that a template can call. */
interface Invocable {
    /** Calls it; bad arguments are a {@link TemplateException}. */
    Object invoke(RenderContext context, Arguments arguments);
}
