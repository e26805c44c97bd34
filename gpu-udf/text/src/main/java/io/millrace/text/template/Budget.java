package io.millrace.text.template;

/** What is left of a rendering's limits. Everything that loops, builds text or nests asks here first. */
final class Budget {
    private static final int CHARS_PER_STEP = 4;

    private final TemplateLimits limits;
    private long stepsLeft;
    private int depth;

    Budget(TemplateLimits limits) {
        this.limits = limits;
        this.stepsLeft = limits.maxSteps();
    }

    /** Takes {@code count} steps. */
    void charge(long count) {
        stepsLeft -= count;
        if (stepsLeft < 0) {
            throw TemplateException.of("the template needs more than " + limits.maxSteps() + " steps");
        }
    }

    /** Checks the length of a string that is about to be built, and takes the steps for it. */
    void chars(long length) {
        if (length > limits.maxOutputChars()) {
            throw TemplateException.of("the template builds more than " + limits.maxOutputChars() + " characters");
        }
        charge(1 + length / CHARS_PER_STEP);
    }

    /** Checks the length of text that grows by {@code added}, and takes the steps for what is added. */
    void grow(long lengthBefore, long added) {
        if (lengthBefore + added > limits.maxOutputChars()) {
            throw TemplateException.of("the template builds more than " + limits.maxOutputChars() + " characters");
        }
        charge(1 + added / CHARS_PER_STEP);
    }

    /** Goes one level deeper; every call is paired with {@link #leave()}. */
    void enter() {
        charge(1);
        if (++depth > limits.maxDepth()) {
            throw TemplateException.of("the template nests deeper than " + limits.maxDepth() + " levels");
        }
    }

    void leave() {
        depth--;
    }
}
