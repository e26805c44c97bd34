package io.millrace.job;

import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.KafkaConfiguration;
import io.millrace.job.graph.KafkaOptions;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The job for a cluster: what {@code flink run} and application mode start. Arguments are {@code --config FILE}, a YAML
 * file as Flink writes it, and {@code -Dkey=value}, which goes over the file, as the file goes over the cluster's own
 * configuration. It builds the graph and submits it; models are loaded where the job runs.
 */
public final class MillraceJobMain {
    private static final String USAGE = "arguments are --config FILE and -Dkey=value";

    private MillraceJobMain() {}

    /**
     * Submits the job.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the argument or option that is wrong
     */
    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        Configuration configuration =
                Configuration.fromMap(environment.getConfiguration().toMap());
        configuration.addAll(arguments(List.of(args)));
        MillraceOptions.check(configuration);
        if (configuration.get(MillraceOptions.CONNECTOR) != MillraceOptions.Connector.KAFKA) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    MillraceOptions.CONNECTOR.key() + " is " + configuration.get(MillraceOptions.CONNECTOR)
                            + ": a job on a cluster is reached over Kafka, so set it to "
                            + MillraceOptions.Connector.KAFKA);
        }
        MillraceJob.defineOverKafka(environment, configuration, MillraceJob.servedModel(configuration));
        if (configuration.get(KafkaOptions.CREATE_TOPICS)) {
            KafkaTopics.ensure(
                    KafkaConfiguration.settings(configuration), KafkaConfiguration.topicLayout(configuration));
        }
        environment.execute(configuration.get(MillraceOptions.JOB_NAME));
    }

    /** What the arguments say. */
    static Configuration arguments(List<String> args) {
        Configuration files = new Configuration();
        Configuration dynamic = new Configuration();
        Iterator<String> rest = args.iterator();
        while (rest.hasNext()) {
            String argument = rest.next();
            if (argument.equals("--config")) {
                files.addAll(JobConfiguration.load(Path.of(value(argument, rest))));
            } else if (argument.startsWith("--config=")) {
                files.addAll(JobConfiguration.load(Path.of(argument.substring("--config=".length()))));
            } else if (argument.equals("-D")) {
                set(dynamic, value(argument, rest));
            } else if (argument.startsWith("-D")) {
                set(dynamic, argument.substring(2));
            } else {
                throw invalid("argument " + argument + " is not known: " + USAGE);
            }
        }
        files.addAll(dynamic);
        return files;
    }

    private static String value(String argument, Iterator<String> rest) {
        if (!rest.hasNext()) {
            throw invalid("nothing follows " + argument + ": " + USAGE);
        }
        return rest.next();
    }

    private static void set(Configuration configuration, String setting) {
        int equals = setting.indexOf('=');
        if (equals <= 0) {
            throw invalid("-D" + setting + " is no setting: " + USAGE);
        }
        configuration.setString(setting.substring(0, equals), setting.substring(equals + 1));
    }

    private static ServingException invalid(String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message);
    }
}
