package io.millrace.operators.tiers;

/** What computing blocks would have to wait for. Any thread. */
public interface PrefillLoad {
    /** Prompt tokens that the engine has taken and not computed. */
    long queuedPromptTokens();

    /** Prompt tokens that the engine computes in a second; 0 if that was not measured yet. */
    double promptTokensPerSecond();
}
