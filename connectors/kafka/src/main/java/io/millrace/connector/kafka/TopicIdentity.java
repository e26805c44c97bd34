package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaSettings;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** Which topic of its name the request topic is now. */
final class TopicIdentity implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Admin admin;
    private final String topic;

    TopicIdentity(KafkaSettings settings, String clientId) {
        this.admin = Admin.create(settings.adminProperties(clientId));
        this.topic = settings.requestTopic();
    }

    /** The topic's id; null if there is no such topic, or the brokers do not say. */
    @Nullable
    Uuid current() {
        try {
            return describe().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS).topicId();
        } catch (ExecutionException | TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    /** The topic's id, some time soon; fails if there is no such topic. */
    CompletionStage<Uuid> ask() {
        return describe().toCompletionStage().thenApply(TopicDescription::topicId);
    }

    private KafkaFuture<TopicDescription> describe() {
        return requireNonNull(
                admin.describeTopics(List.of(topic)).topicNameValues().get(topic), topic);
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
