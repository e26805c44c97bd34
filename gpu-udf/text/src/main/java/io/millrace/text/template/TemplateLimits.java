package io.millrace.text.template;

/**
 * What one template may cost. A template is data from a model file, so nothing in it may exhaust the process.
 *
 * @param maxTemplateChars longest template source
 * @param maxOutputChars longest rendered text, and longest string that any expression may build
 * @param maxSteps most steps of one rendering: a step is an evaluated node, an element touched or four characters built
 * @param maxDepth deepest nesting of syntax, of calls and of values
 */
public record TemplateLimits(int maxTemplateChars, int maxOutputChars, long maxSteps, int maxDepth) {
    /** Limits that every published chat template stays far below. */
    public static final TemplateLimits DEFAULT = new TemplateLimits(1 << 20, 64 << 20, 50_000_000L, 400);

    public TemplateLimits {
        if (maxTemplateChars <= 0 || maxOutputChars <= 0 || maxSteps <= 0 || maxDepth <= 0) {
            throw new IllegalArgumentException("limits must be positive");
        }
    }
}
