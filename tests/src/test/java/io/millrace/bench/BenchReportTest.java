package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchReportTest {
    private final BenchReport report = new BenchReport("engine", Map.of("processors", 2));

    @Test
    void medianIsTheMiddle() {
        assertThat(Figure.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2);
        assertThat(Figure.median(List.of(4.0, 1.0))).isEqualTo(2.5);
    }

    @Test
    void percentileIsTheNearestRank() {
        double[] values = new double[100];
        for (int index = 0; index < values.length; index++) {
            values[index] = 100 - index;
        }
        assertThat(Figure.percentile(values, 0.5)).isEqualTo(50);
        assertThat(Figure.percentile(values, 0.99)).isEqualTo(99);
        assertThat(Figure.percentile(new double[] {7}, 0.99)).isEqualTo(7);
        assertThatThrownBy(() -> Figure.percentile(new double[0], 0.5)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void jsonHasItsPublishedShape() throws Exception {
        fill();

        JsonNode json = new ObjectMapper().readTree(report.json());

        assertThat(json.path("machine").path("processors").asInt()).isEqualTo(2);
        assertThat(json.path("commands").path(0).asText()).isEqualTo("./millrace bench engine");
        JsonNode figure = json.path("figures").path("decode");
        assertThat(figure.path("value").asDouble()).isEqualTo(200);
        assertThat(figure.path("llama_cpp").asDouble()).isEqualTo(50);
        assertThat(figure.path("runs")).hasSize(3);
        assertThat(json.path("ratios").path("decode_vs_llama_cpp").asDouble()).isEqualTo(4);
        assertThat(json.path("ratios").path("missing").isNull()).isTrue();
        assertThat(json.path("added_latency_p99_ms").asDouble()).isEqualTo(1.5);
    }

    @Test
    void markdownHasATableAndTheMachine() {
        fill();

        assertThat(report.markdown())
                .contains("# bench engine", "| decode", " 200 | ", "| decode_vs_llama_cpp | 4.000 |")
                .contains("* processors: 2", "    ./millrace bench engine", "a note");
    }

    private void fill() {
        report.addCommand("./millrace bench engine");
        Figure decode = new Figure("tokens/s", List.of(100.0, 300.0, 200.0), List.of(50.0));
        report.addFigure("decode", decode);
        report.addFigure("job", Figure.of("tokens/s", 190));
        report.addRatio("decode_vs_llama_cpp", decode.overPeer());
        report.addRatio("missing", Figure.of("x", 1).overPeer());
        report.addExtra("added_latency_p99_ms", 1.5);
        report.addNote("a note");
    }
}
