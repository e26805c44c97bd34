package io.millrace.gateway;

import io.millrace.proto.ChatRequest;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A chat completion request, read and checked.
 *
 * @param model the model's name, always one that is served
 * @param chat what the job needs; its seed is 0 if {@code seedGiven} is false
 * @param seedGiven whether the client chose the seed
 * @param stream whether the client wants events
 * @param includeUsage whether a stream ends with a usage event
 * @param singleToolCall whether the client wants one tool call at most
 * @param promptCacheKey the body's {@code prompt_cache_key}
 * @param user the body's {@code user}, or else {@code metadata.user_id}
 * @param cacheSalt the body's salt of the prefix cache
 * @param extraFields names of the extra response fields that the client asked for
 */
record ParsedChat(
        String model,
        ChatRequest chat,
        boolean seedGiven,
        boolean stream,
        boolean includeUsage,
        boolean singleToolCall,
        @Nullable String promptCacheKey,
        @Nullable String user,
        @Nullable String cacheSalt,
        Set<String> extraFields) {
    ParsedChat {
        extraFields = Set.copyOf(extraFields);
    }
}
