package io.millrace.text.prompt;

import static java.util.Objects.requireNonNull;

import io.millrace.text.output.OutputFormat;

/**
 * A chat request as the text of a prompt.
 *
 * @param text the whole prompt, {@code forcedPrefix} included at its end; it has the client's text as the guard gave it
 * @param forcedPrefix the end of the prompt that begins a tool call the model must complete: it belongs to the output
 *     that is parsed; empty where nothing is forced
 * @param format how the output is to be read
 */
public record RenderedPrompt(String text, String forcedPrefix, OutputFormat format) {
    public RenderedPrompt {
        requireNonNull(text, "text");
        requireNonNull(forcedPrefix, "forcedPrefix");
        requireNonNull(format, "format");
    }
}
