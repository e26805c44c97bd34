package io.millrace.text.template;

/** What went wrong in a template, before it is turned into the error that callers see. */
final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Whether the template itself refused by calling {@code raise_exception}. */
    private final boolean raised;

    /** Line of the template, from 1; 0 where it is not known yet. */
    private final int line;

    private TemplateException(String message, int line, boolean raised) {
        super(message, null, false, false);
        this.line = line;
        this.raised = raised;
    }

    static TemplateException of(String message) {
        return new TemplateException(message, 0, false);
    }

    static TemplateException at(int line, String message) {
        return new TemplateException(message, line, false);
    }

    static TemplateException raised(String message) {
        return new TemplateException(message, 0, true);
    }

    boolean isRaised() {
        return raised;
    }

    int line() {
        return line;
    }

    /** Returns the message, never null. */
    String text() {
        return String.valueOf(getMessage());
    }
}
