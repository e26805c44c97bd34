package io.millrace.connector.kafka.records;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Questions to the brokers that together have a limit in time; every failure says what was asked and why it failed. */
final class AdminCalls implements AutoCloseable {
    private final String servers;
    private final Duration limit;
    private final long deadlineNanos;
    private final Admin admin;

    AdminCalls(KafkaSettings settings, Duration limit) {
        this.servers = settings.bootstrapServers();
        this.limit = requireNonNull(limit, "limit");
        this.deadlineNanos = System.nanoTime() + limit.toNanos();
        try {
            this.admin = Admin.create(settings.adminProperties("millrace-topics"));
        } catch (KafkaException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "these settings of Kafka are wrong: " + rootMessage(e), e);
        }
    }

    /** A topic, if it is there. */
    Optional<TopicDescription> describe(String topic) throws InterruptedException {
        KafkaFuture<TopicDescription> answer = requireNonNull(
                admin.describeTopics(List.of(topic)).topicNameValues().get(topic), topic);
        return get("tell of topic " + topic, answer, UnknownTopicOrPartitionException.class);
    }

    /** A topic's setting. */
    String setting(String topic, String name) throws InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        KafkaFuture<Config> answer =
                requireNonNull(admin.describeConfigs(List.of(resource)).values().get(resource), topic);
        return get("tell the settings of topic " + topic, answer).get(name).value();
    }

    /** Makes a topic, unless somebody else just has. */
    void create(NewTopic topic) throws InterruptedException {
        get("make topic " + topic.name(), admin.createTopics(List.of(topic)).all(), TopicExistsException.class);
    }

    /** Deletes topics. */
    void delete(Collection<String> topics) throws InterruptedException {
        get("delete topics " + topics, admin.deleteTopics(topics).all(), UnknownTopicOrPartitionException.class);
    }

    /** Ends the waiting if there is no time left. */
    void checkTime(String what) {
        if (System.nanoTime() > deadlineNanos) {
            throw failure(what, "it took longer than " + limit.toSeconds() + " s", null);
        }
    }

    private <T> T get(String what, KafkaFuture<T> answer) throws InterruptedException {
        return get(what, answer, UnsupportedOperationException.class).orElseThrow();
    }

    /** Empty if the answer is an error that is expected, or nothing. */
    private <T> Optional<T> get(String what, KafkaFuture<T> answer, Class<? extends Exception> expected)
            throws InterruptedException {
        try {
            long leftNanos = Math.max(1, deadlineNanos - System.nanoTime());
            return Optional.ofNullable(answer.get(leftNanos, TimeUnit.NANOSECONDS));
        } catch (ExecutionException e) {
            if (expected.isInstance(e.getCause())) {
                return Optional.empty();
            }
            throw failure(what, rootMessage(e), e);
        } catch (TimeoutException e) {
            throw failure(what, "no answer within " + limit.toSeconds() + " s", e);
        }
    }

    private ServingException failure(String what, String why, @Nullable Throwable cause) {
        return new ServingException(
                ErrorCode.UNAVAILABLE, "Kafka at " + servers + " did not " + what + ": " + why, cause);
    }

    private static String rootMessage(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
