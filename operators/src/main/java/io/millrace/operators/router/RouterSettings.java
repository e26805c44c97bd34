package io.millrace.operators.router;

import static java.util.Objects.requireNonNull;

import java.io.Serializable;
import java.time.Duration;

/**
 * How SessionRouter works.
 *
 * @param modelName the model that requests may name; a request that names none means it too
 * @param rememberedRequests request ids that a session remembers
 * @param requestTtl how long it remembers each, if its log is kept that long
 * @param sessionTtl how long a session's log is kept after its last turn began
 */
public record RouterSettings(String modelName, int rememberedRequests, Duration requestTtl, Duration sessionTtl)
        implements Serializable {
    public RouterSettings {
        requireNonNull(modelName, "modelName");
        if (rememberedRequests <= 0) {
            throw new IllegalArgumentException("rememberedRequests must be positive: " + rememberedRequests);
        }
        if (requestTtl.isNegative() || requestTtl.isZero()) {
            throw new IllegalArgumentException("requestTtl must be positive: " + requestTtl);
        }
        requireNonNull(sessionTtl, "sessionTtl");
    }
}
