package io.millrace.settings;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.tidy.SourceTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The Kubernetes manifests of {@code jobs-config} fit the schema that the Flink Kubernetes Operator publishes. Its
 * newest published one knows Flink's versions up to 1.20, which is the one thing that is checked by its form alone.
 */
class KubernetesManifestsTest {
    private static final String SCHEMA = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml";
    private static final Path FOLDER = SourceTree.root().resolve("jobs-config/kubernetes");
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void deploymentsFitTheOperatorsSchema() throws IOException {
        for (String name : List.of("session-cluster.yaml", "application.yaml")) {
            JsonNode manifest =
                    documents(Files.readString(FOLDER.resolve(name))).get(0);
            assertThat(manifest.path("apiVersion").asText()).isEqualTo("flink.apache.org/v1beta1");
            assertThat(manifest.path("kind").asText()).isEqualTo("FlinkDeployment");
            ObjectNode spec = manifest.path("spec").deepCopy();
            assertThat(spec.remove("flinkVersion").asText())
                    .isEqualTo("v" + EnvironmentInformation.getVersion().replaceFirst("^(\\d+)\\.(\\d+).*", "$1_$2"));
            assertThat(SchemaCheck.faults(specSchema(), spec)).as(name).isEmpty();
        }
    }

    @Test
    void gatewayFitsTheSchemaOfPods() throws IOException {
        List<JsonNode> documents = documents(Files.readString(FOLDER.resolve("gateway.yaml")));
        JsonNode template = documents.get(0).at("/spec/template");
        assertThat(SchemaCheck.faults(specSchema().at("/properties/podTemplate"), template))
                .isEmpty();
        assertThat(documents.get(0).at("/spec/selector/matchLabels")).isEqualTo(template.at("/metadata/labels"));
        assertThat(documents.get(1).at("/spec/selector")).isEqualTo(template.at("/metadata/labels"));
        assertThat(documents.get(1).at("/spec/ports/0/targetPort").asInt())
                .isEqualTo(
                        template.at("/spec/containers/0/ports/0/containerPort").asInt());
    }

    @Test
    void everyOptionExistsAndIsOfItsType() throws Exception {
        KnownOptions known = new KnownOptions();
        for (String name : List.of("session-cluster.yaml", "application.yaml")) {
            Map<String, String> settings = new TreeMap<>();
            documents(Files.readString(FOLDER.resolve(name)))
                    .get(0)
                    .at("/spec/flinkConfiguration")
                    .fields()
                    .forEachRemaining(field ->
                            settings.put(field.getKey(), field.getValue().asText()));
            assertThat(known.faults(Configuration.fromMap(settings))).as(name).isEmpty();
        }
    }

    @Test
    void faultsAreFound() throws IOException {
        ObjectNode spec = JSON.createObjectNode();
        spec.put("image", 7).put("imageName", "x").put("mode", "nativ");
        spec.putObject("taskManager").putObject("resource").put("cpu", "four");
        assertThat(SchemaCheck.faults(specSchema(), spec))
                .containsExactlyInAnyOrder(
                        "/image is no string",
                        "/imageName is not known",
                        "/mode is none of [\"native\",\"standalone\"]",
                        "/taskManager/resource/cpu is no number");
    }

    private static JsonNode specSchema() throws IOException {
        try (InputStream in = KubernetesManifestsTest.class.getClassLoader().getResourceAsStream(SCHEMA)) {
            JsonNode definition = documents(new String(in.readAllBytes())).get(0);
            return definition.at("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
        }
    }

    private static List<JsonNode> documents(String yaml) {
        List<JsonNode> documents = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(yaml)) {
            documents.add(JSON.valueToTree(document));
        }
        return documents;
    }

    /** As much of OpenAPI's schemas as the operator's has. */
    private static final class SchemaCheck {
        private final List<String> faults = new ArrayList<>();

        static List<String> faults(JsonNode schema, JsonNode value) {
            SchemaCheck check = new SchemaCheck();
            check.check("", schema, value);
            return check.faults;
        }

        private void check(String path, JsonNode schema, JsonNode value) {
            boolean fits = schema.path("x-kubernetes-int-or-string").asBoolean()
                    ? value.isInt() || value.isTextual()
                    : hasType(schema.path("type").asText(), value);
            if (!fits) {
                faults.add(path + " is no " + schema.path("type").asText());
                return;
            }
            if (schema.has("enum") && !contains(schema.path("enum"), value)) {
                faults.add(path + " is none of " + schema.path("enum"));
            }
            for (JsonNode required : schema.path("required")) {
                if (!value.has(required.asText())) {
                    faults.add(path + "/" + required.asText() + " is missing");
                }
            }
            for (int i = 0; value.isArray() && i < value.size(); i++) {
                check(path + "/" + i, schema.path("items"), value.get(i));
            }
            if (value.isObject()) {
                checkFields(path, schema, value);
            }
        }

        private void checkFields(String path, JsonNode schema, JsonNode value) {
            Iterator<Map.Entry<String, JsonNode>> fields = value.fields();
            while (fields.hasNext()) {
                Map.Entry<String, JsonNode> field = fields.next();
                JsonNode known = schema.path("properties").path(field.getKey());
                if (known.isMissingNode()) {
                    known = schema.path("additionalProperties");
                }
                if (known.isObject()) {
                    check(path + "/" + field.getKey(), known, field.getValue());
                } else {
                    faults.add(path + "/" + field.getKey() + " is not known");
                }
            }
        }

        private static boolean contains(JsonNode values, JsonNode value) {
            for (JsonNode each : values) {
                if (each.equals(value)) {
                    return true;
                }
            }
            return false;
        }

        private static boolean hasType(String type, JsonNode value) {
            return switch (type) {
                case "object" -> value.isObject();
                case "array" -> value.isArray();
                case "string" -> value.isTextual();
                case "integer" -> value.isIntegralNumber();
                case "number" -> value.isNumber();
                case "boolean" -> value.isBoolean();
                default -> true;
            };
        }
    }
}
