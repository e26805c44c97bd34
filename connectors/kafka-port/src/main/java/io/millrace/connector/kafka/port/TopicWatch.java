package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Kafka now and then whether it answers, and what has become of the topics. */
final class TopicWatch implements AutoCloseable {
    /**
     * The topics as they are.
     *
     * @param requestTopicId another one means that the topic was deleted and made again
     * @param tokenTopicId likewise
     * @param tokenPartitionCount of the token topic
     */
    record Topics(Uuid requestTopicId, Uuid tokenTopicId, int tokenPartitionCount) {}

    /** What a check found: the topics, or why they cannot be used. */
    record Finding(@Nullable Topics topics, String problem) {}

    private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final Admin admin;
    private final String requestTopic;
    private final String tokenTopic;
    private volatile Finding latest = new Finding(null, "Kafka has not been reached yet");

    TopicWatch(Admin admin, String requestTopic, String tokenTopic) {
        this.admin = requireNonNull(admin, "admin");
        this.requestTopic = requireNonNull(requestTopic, "requestTopic");
        this.tokenTopic = requireNonNull(tokenTopic, "tokenTopic");
    }

    /** What the last check found. */
    Finding latest() {
        return latest;
    }

    /** Asks once more, and waits some seconds for the answer. */
    Finding check() throws InterruptedException {
        Finding found = ask();
        if (!found.problem().equals(latest.problem())) {
            LOG.info(
                    "Topics {} and {}: {}",
                    requestTopic,
                    tokenTopic,
                    found.topics() == null ? found.problem() : "found");
        }
        latest = found;
        return found;
    }

    private Finding ask() throws InterruptedException {
        try {
            Map<String, TopicDescription> found = admin.describeTopics(
                            List.of(requestTopic, tokenTopic),
                            new DescribeTopicsOptions().timeoutMs((int) LIMIT.toMillis()))
                    .allTopicNames()
                    .get(LIMIT.toMillis() + 1000, TimeUnit.MILLISECONDS);
            TopicDescription requests = requireNonNull(found.get(requestTopic), requestTopic);
            TopicDescription tokens = requireNonNull(found.get(tokenTopic), tokenTopic);
            return new Finding(
                    new Topics(
                            requests.topicId(),
                            tokens.topicId(),
                            tokens.partitions().size()),
                    "");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return new Finding(null, "Kafka has no topics " + requestTopic + " and " + tokenTopic);
            }
            return new Finding(null, "Kafka does not answer: " + e.getCause());
        } catch (TimeoutException e) {
            return new Finding(null, "Kafka does not answer");
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
