// Writes NAME.expected.json from NAME.cases.json with Kafka Connect's own classes: see README.md.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;

public class Values {
  static final ObjectMapper JSON = new ObjectMapper();
  static final JsonConverter CONVERTER = new JsonConverter();
  static final SimpleHeaderConverter HEADERS = new SimpleHeaderConverter();

  static String json(Schema schema, Object value) {
    byte[] bytes = CONVERTER.fromConnectData("t", schema, value);
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  static String header(Header h) {
    byte[] bytes = HEADERS.fromConnectHeader("t", h.key(), h.schema(), h.value());
    return h.key() + "=" + (bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
  }

  // The bytes in a topic, a file and headers, or the class of the error.
  static ObjectNode run(List<Transformation<SinkRecord>> chain, String text) {
    ObjectNode out = JSON.createObjectNode();
    try {
      SchemaAndValue v = CONVERTER.toConnectData("t", text.getBytes(StandardCharsets.UTF_8));
      SinkRecord r = new SinkRecord("t", 3, null, null, v.schema(), v.value(), 42, 1700000000000L, TimestampType.CREATE_TIME);
      for (Transformation<SinkRecord> t : chain) {
        r = t.apply(r);
        if (r == null) { out.put("dropped", true); return out; }
      }
      out.put("json", json(r.valueSchema(), r.value()));
      out.put("text", String.valueOf(r.value()));
      if (r.key() != null) out.put("key", json(r.keySchema(), r.key()));
      for (Header h : r.headers()) out.withArray("headers").add(header(h));
    } catch (Throwable e) {
      out.removeAll();
      out.put("error", e.getClass().getName().replaceAll(".*\\.", ""));
    }
    return out;
  }

  @SuppressWarnings("unchecked")
  public static void main(String[] args) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    JsonNode cases = JSON.readTree(new File(args[0]));
    CONVERTER.configure(Map.of("schemas.enable", cases.path("schemas").asText("false")), false);
    try (PrintWriter out = new PrintWriter(args[1], StandardCharsets.UTF_8)) {
      out.print("{");
      String between = "\n";
      for (JsonNode c : cases.get("chains")) {
        List<Transformation<SinkRecord>> chain = new ArrayList<>();
        for (JsonNode t : c.get("transforms")) {
          Transformation<SinkRecord> made = (Transformation<SinkRecord>) Class.forName(t.get("class").asText()).getDeclaredConstructor().newInstance();
          made.configure(JSON.convertValue(t.get("props"), Map.class));
          chain.add(made);
        }
        out.print(between + JSON.writeValueAsString(c.get("name").asText()) + ": [");
        String comma = "\n  ";
        for (JsonNode text : cases.get("values")) {
          out.print(comma + JSON.writeValueAsString(run(chain, text.asText())));
          comma = ",\n  ";
        }
        out.print("\n]");
        between = ",\n";
      }
      out.print("\n}\n");
    }
  }
}
